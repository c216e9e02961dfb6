import {
  type Clock,
  createCursors,
  type Cursors,
  type Duration,
  type Logger,
  type NewId,
  type Page,
  randomBytes,
  type RandomBytes,
  silentLogger,
  systemClock,
  toMs,
  uuidv7,
} from '@svc/core';
import type { Db } from '@svc/db';
import type { Anchor, CheckpointNote } from './anchor.ts';
import { append } from './append.ts';
import { type CheckpointSearch, listCheckpoints } from './checkpoints.ts';
import type { AuditContext, WriteOptions } from './context.ts';
import { type AuditErasure, erase } from './erase.ts';
import type { AuditEvent } from './event.ts';
import { type AuditExport, exportLog } from './export.ts';
import { type AuditPurge, purge } from './purge.ts';
import { seal } from './seal.ts';
import { createSealer } from './sealer.ts';
import { type AuditEntry, type AuditSearch, search } from './search.ts';
import { createNoteSigner, createNoteVerifier } from './signed-note.ts';
import { type AuditVerify, verify } from './verify.ts';
import type { AuditVerification } from './verify-audit-log.ts';
import { assertSealed } from './waiting.ts';

/** The log of who did what. What is sealed cannot be changed unnoticed, by whoever can write to the database. */
export interface Audit extends AsyncDisposable {
  /** The keys that the log's checkpoints may be signed with, for those who verify. */
  readonly publicKeys: readonly string[];
  /** Records an event, in the caller's transaction: it is in the log exactly when that commits. Waits for no other append. @throws {TypeError} when it is no event */
  append(event: AuditEvent, options?: WriteOptions): Promise<void>;
  /** Seals what is committed; all of it is sealed when this resolves. Gives how many entries that made. */
  seal(): Promise<number>;
  /** Sealed entries, the newest first. @throws {InvalidCursor} */
  search(query: AuditSearch): Promise<Page<AuditEntry>>;
  /** Sealed entries as text in chunks; NDJSON of whole chains is what `verifyAuditLog` takes. @throws {PurgedMeanwhile} @throws {ErasedMeanwhile} */
  export(query: AuditExport): AsyncIterable<string>;
  /** The checkpoints of a chain, the newest first, signed where there is a signing key; the first of them vouches for its present end. @throws {InvalidCursor} */
  checkpoints(query: CheckpointSearch): Promise<Page<CheckpointNote>>;
  /** Seals what waits, then reads and checks every entry. @throws {PurgedMeanwhile} */
  verify(options?: AuditVerify): Promise<AuditVerification>;
  /** Deletes personal values for good; the chain stays valid. Gives the number of events that had some. */
  erase(erasure: AuditErasure, options?: WriteOptions): Promise<number>;
  /** Removes old entries behind a signed checkpoint; gives how many. @throws {AuditBroken} @throws {AppendOnly} */
  purge(options: AuditPurge): Promise<number>;
  /** Resolves unless an event has waited for longer than that to be sealed, by the database's clock; for a health check. @default 5s @throws {SealingBehind} */
  health(within?: Duration): Promise<void>;
  /** Begins to seal in the background; what is committed is sealed within a second. Any number of processes may. */
  start(): Promise<void>;
  /** Ends that, after sealing what is committed. */
  stop(): Promise<void>;
}

export interface AuditOptions {
  db: Db;
  /** What signs checkpoints, as `createSigningKey` makes it, and the public keys of those before it. @default none: checkpoints are not signed, and whoever can write the log can write it anew */
  signing?: { privateKey: string; formerPublicKeys?: readonly string[] };
  /** What the log is called in checkpoints, like a host name; never changes. @default 'svc-audit' */
  origin?: string;
  /** How often the background seals, at most every second. @default 500ms */
  sealEvery?: Duration;
  /** The least time between two checkpoints of a chain that are kept and anchored. @default 10m */
  checkpointEvery?: Duration;
  /** Keeps checkpoints where the operators of this service cannot change them. @default none */
  anchor?: Anchor;
  /** @default ones that any instance reads: what may be seen is decided by each query again */
  cursors?: Cursors;
  /** @default systemClock */
  clock?: Clock;
  /** @default uuidv7 */
  newId?: NewId;
  /** @default randomBytes */
  random?: RandomBytes;
  /** @default silentLogger */
  logger?: Logger;
  /** What events call this instance. @default 'audit' */
  name?: string;
}

/** @throws {TypeError} when an option is not usable. */
export function createAudit({
  db,
  signing,
  origin = 'svc-audit',
  sealEvery = '500ms',
  checkpointEvery = '10m',
  anchor,
  cursors = createCursors({ secret: 'svc-audit' }),
  clock = systemClock,
  newId = uuidv7,
  random = randomBytes,
  logger = silentLogger,
  name = 'audit',
}: AuditOptions): Audit {
  const sealEveryMs = toMs(sealEvery);
  if (sealEveryMs < 10 || sealEveryMs > 1000) throw new TypeError('sealEvery is from 10ms to 1s');
  if (!/^[^\s/][^\s]{0,199}$/u.test(origin))
    throw new TypeError('origin has 1 to 200 characters and no blank');
  const signer = signing === undefined ? undefined : createNoteSigner(signing.privateKey);
  const publicKeys =
    signer === undefined ? [] : [signer.publicKey, ...(signing?.formerPublicKeys ?? [])];
  const context: AuditContext = {
    name,
    db,
    origin,
    signer,
    publicKeys,
    notes: createNoteVerifier(publicKeys),
    checkpointEveryMs: toMs(checkpointEvery),
    anchor,
    cursors,
    clock,
    newId,
    random,
    logger,
  };
  const sealer = createSealer(context, sealEveryMs);
  return {
    publicKeys,
    append: (event, { within } = {}) => append(context, within ?? db, event),
    seal: () => seal(context, 'wait'),
    search: (query) => search(context, query),
    export: (query) => exportLog(context, query),
    checkpoints: (query) => listCheckpoints(context, query),
    verify: (options = {}) => verify(context, options),
    erase: (erasure, options = {}) => erase(context, erasure, options),
    purge: (options) => purge(context, options),
    health: (within = '5s') => assertSealed(db, toMs(within)),
    start: sealer.start,
    stop: sealer.stop,
    [Symbol.asyncDispose]: sealer.stop,
  };
}
