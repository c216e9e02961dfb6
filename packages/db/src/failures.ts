import { failure, type FailureDetails } from '@svc/core';

/** The database cannot be reached, went away in the middle, does not answer in time, or has no free connection in time. After a lost COMMIT the outcome is unknown. */
export class DatabaseUnavailable extends failure(
  'db.unavailable',
  'unavailable',
  'The database is not available.',
) {
  constructor(details: FailureDetails = { retryAfterSeconds: 1 }, options?: ErrorOptions) {
    super(details, options);
  }
}

/** The row was changed since the caller read it. */
export class StaleVersion extends failure(
  'db.stale_version',
  'conflict',
  'It was changed in the meantime. Read it again and repeat your change.',
) {}

/** There is a row with this key, where only a new one was to be written. */
export class AlreadyExists extends failure(
  'db.already_exists',
  'conflict',
  'It exists already. Read it, or choose another name.',
) {}

/** What the database says of a statement, without any value of it. */
export interface QueryFault {
  /** SQLSTATE. */
  readonly code: string;
  readonly severity?: string | undefined;
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly constraint?: string | undefined;
}

/** The database refused a statement; the same on both engines, and free of the statement's values. */
export class QueryFailed extends Error {
  /** SQLSTATE. */
  readonly code: string;
  readonly fault: QueryFault;
  constructor(message: string, fault: QueryFault) {
    super(message);
    this.name = 'QueryFailed';
    this.code = fault.code;
    this.fault = fault;
  }
}

/** A transaction whose statement had failed was committed all the same; the database rolled it back. */
export class CommitRolledBack extends Error {
  constructor() {
    super(
      'The transaction was rolled back at COMMIT: a statement in it had failed and its error was swallowed.',
    );
    this.name = 'CommitRolledBack';
  }
}

/** A migration step that is applied no longer reads as it did. */
export class MigrationChanged extends Error {
  constructor(schema: string, step: string, problem: string) {
    super(`The migration ${schema}/${step} ${problem}.`);
    this.name = 'MigrationChanged';
  }
}

/** A statement of a migration step failed; nothing of the step is kept. */
export class MigrationFailed extends Error {
  constructor(schema: string, step: string, cause: unknown) {
    super(
      `The migration ${schema}/${step} failed: ${cause instanceof Error ? cause.message : 'unknown error'}`,
      { cause },
    );
    this.name = 'MigrationFailed';
  }
}

/** The PGlite directory is open elsewhere. */
export class DatabaseLocked extends Error {
  readonly pid: number;
  constructor(pid: number, host: string, lockFile: string) {
    super(
      `The database directory is open in process ${pid} on ${host}; PGlite allows one. (If that machine is gone, delete ${lockFile}.)`,
    );
    this.name = 'DatabaseLocked';
    this.pid = pid;
  }
}

/** The role would see past row-level security. */
export class UnsafeRole extends Error {
  constructor(role: string, reasons: readonly string[]) {
    super(
      `The role ${role} must not run the app, because row-level security does not hold for it: ${reasons.join('; ')}.`,
    );
    this.name = 'UnsafeRole';
  }
}
