import type { Clock, Cursors, Logger, NewId, RandomBytes } from '@svc/core';
import type { Db, Trx } from '@svc/db';
import type { Anchor } from './anchor.ts';
import type { NoteSigner, NoteVerifier } from './signed-note.ts';

/** What the parts of one `createAudit` work with. */
export interface AuditContext {
  readonly name: string;
  readonly db: Db;
  readonly origin: string;
  readonly signer: NoteSigner | undefined;
  /** Of the signer, and of those before it. */
  readonly publicKeys: readonly string[];
  /** Knows these keys. */
  readonly notes: NoteVerifier;
  readonly checkpointEveryMs: number;
  readonly anchor: Anchor | undefined;
  readonly cursors: Cursors;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random: RandomBytes;
  readonly logger: Logger;
}

export interface WriteOptions {
  /** The caller's transaction. @default none: the statement commits by itself */
  within?: Trx;
}
