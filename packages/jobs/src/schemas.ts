import * as v from 'valibot';
import { jobStates } from './job.ts';

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const uuid = v.pipe(v.string(), v.uuid(), v.maxLength(36));
const timestamp = v.pipe(v.string(), v.isoTimestamp(), v.maxLength(30));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const limit = v.pipe(
  v.string(),
  v.regex(/^\d{1,4}$/),
  v.transform(Number),
  v.minValue(1),
  v.maxValue(1000),
);

export const JobParam = v.strictObject({ id: uuid });
export const ListQuery = v.strictObject({
  state: v.optional(v.picklist(jobStates), 'ready'),
  task: v.optional(name),
  group: v.optional(name),
  limit: v.optional(limit, '50'),
  cursor: v.optional(uuid),
});
export const DeadFilterSchema = v.strictObject({
  ids: v.optional(v.pipe(v.array(uuid), v.minLength(1), v.maxLength(1000))),
  task: v.optional(name),
  group: v.optional(name),
  before: v.optional(v.pipe(timestamp, v.description('Dead since before.'))),
});
export const PauseSchema = v.strictObject({
  task: v.optional(v.pipe(name, v.description('Without it, every task.'))),
});

export const JobBody = v.object({
  id: uuid,
  task: name,
  state: v.picklist(jobStates),
  priority: count,
  group: v.nullable(name),
  attempts: count,
  maxAttempts: count,
  enqueuedAt: timestamp,
  runAt: v.nullable(timestamp),
  finishedAt: v.nullable(timestamp),
  errors: v.pipe(
    v.array(
      v.object({
        attempt: count,
        at: timestamp,
        message: v.pipe(v.string(), v.maxLength(500)),
      }),
    ),
    v.maxLength(25),
  ),
  progress: v.optional(v.unknown()),
  tenantId: v.nullable(name),
});
export const JobPage = v.object({ items: v.array(JobBody), nextCursor: v.nullable(uuid) });
export const CancelBody = v.object({ state: v.picklist(['cancelled', 'running']) });
export const CountBody = v.object({ count });
export const StatusBody = v.object({
  tasks: v.record(name, v.record(v.picklist(jobStates), v.optional(count))),
  paused: v.array(name),
  oldestReadyMs: v.pipe(v.number(), v.minValue(0)),
  workers: count,
  oldestSnapshotMs: v.pipe(v.number(), v.minValue(0)),
  tables: v.array(v.object({ name, live: count, dead: count, bytes: count })),
});
