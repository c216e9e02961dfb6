import { failure } from '@svc/core';

/** There is no job with this id, or its record is no longer kept. */
export class JobNotFound extends failure('jobs.not_found', 'not_found', 'There is no such job.') {}

/** What was asked does not fit the state the job is in; `details.state` says which. */
export class JobStateConflict extends failure(
  'jobs.state_conflict',
  'conflict',
  'The job is in a state in which this cannot be done.',
) {}

/** The lease of this attempt is over, or it has its outcome: the job may run elsewhere. What was written with it must be rolled back. */
export class JobLost extends failure(
  'jobs.lost',
  'conflict',
  'The job was taken from this worker; its outcome does not count.',
) {}

/** The payload, as JSON, is longer than a job may carry. Store the data elsewhere and enqueue its id. */
export class PayloadTooLarge extends failure(
  'jobs.payload_too_large',
  'too_large',
  'There is too much data for a job.',
) {}

/** There is no schedule of this name among those that the scheduler was given. */
export class ScheduleNotFound extends failure(
  'jobs.schedule_not_found',
  'not_found',
  'There is no such schedule.',
) {}
