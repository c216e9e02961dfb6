import { defineEvent } from '@svc/core';

/** A caller got a connection, after so long. */
export const connectionAcquired = defineEvent<{ readonly waitedMs: number }>(
  'svc.db.connection_acquired',
);

/** A caller got none: the database is away, or no connection came free in time. */
export const connectionFailed = defineEvent<{
  /** The code or the name of the error, never its message. */
  readonly reason: string;
  readonly waitedMs: number;
}>('svc.db.connection_failed');

/** An open connection was lost. */
export const connectionLost = defineEvent<{
  /** Connections that are left. */
  readonly open: number;
}>('svc.db.connection_lost');
