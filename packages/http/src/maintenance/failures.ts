import { failure } from '@svc/core';

/** It is being worked on; `Retry-After` says when to come back. */
export class UnderMaintenance extends failure(
  'http.under_maintenance',
  'unavailable',
  'The service is being worked on.',
) {}

/** It can be read but not changed while it is being worked on. */
export class ReadOnly extends failure(
  'http.read_only',
  'unavailable',
  'The service is being worked on: it can be read, not changed.',
) {}
