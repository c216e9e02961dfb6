import { AsyncLocalStorage } from 'node:async_hooks';
import type { PGlite } from '@electric-sql/pglite';
import type { Clock } from '@svc/core';
import { type EncodedParameter, parserFor, textFor } from '../codec.ts';
import { cleanError } from '../driver-errors.ts';
import { installed } from '../installed.ts';
import { type Session, type Sessions, writingCommands } from '../session.ts';
import { type DirectoryLock, lockDirectory } from './directory-lock.ts';
import { createTurns } from './turns.ts';

export interface OpenPgliteOptions {
  /** Absent: in memory. */
  directory?: string | undefined;
  acquireTimeoutMs: number;
  role: string | undefined;
  clock: Clock;
  /** A dump to begin with, for tests. */
  dump?: Blob;
}

/** Opens PGlite, the only session it has, and takes turns on it. @throws {DatabaseLocked} */
export async function openPglite({
  directory,
  acquireTimeoutMs,
  role,
  clock,
  dump,
}: OpenPgliteOptions): Promise<Sessions> {
  const { PGlite } = await installed('@electric-sql/pglite', () => import('@electric-sql/pglite'));
  const lock: DirectoryLock | undefined =
    directory === undefined ? undefined : lockDirectory(directory);
  try {
    const pglite = await PGlite.create({
      ...(lock === undefined ? {} : { dataDir: lock.directory }),
      ...(dump === undefined ? {} : { loadDataDir: dump }),
    });
    await prepare(pglite, role);
    return oneSession(pglite, lock, acquireTimeoutMs, clock);
  } catch (error) {
    lock?.release();
    throw error;
  }
}

async function prepare(pglite: PGlite, role: string | undefined): Promise<void> {
  // Its own tables know some types better (enum arrays) and others worse than PostgreSQL's driver does: ours, on both.
  pglite.parsers = byOid((oid) => parserFor(oid)) as PGlite['parsers'];
  pglite.serializers = byOid(
    (oid) => (parameter: Exclude<EncodedParameter, null>) => textFor(oid, parameter),
  ) as PGlite['serializers'];
  await pglite.query("set timezone = 'UTC'");
  await pglite.query("set datestyle = 'ISO, MDY'");
  if (role === undefined) return;
  const known = await pglite.query('select from pg_catalog.pg_roles where rolname = $1', [role]);
  if (known.rows.length === 0) await pglite.query(`create role "${role}" nologin`);
  await pglite.query(`set role "${role}"`);
}

const byOid = <Handler>(handler: (oid: number) => Handler) =>
  new Proxy({}, { get: (_, oid) => handler(Number(String(oid))) });

/** Which transaction the running code is within. */
interface Within {
  readonly connection: object;
  open: boolean;
}

const flow = new AsyncLocalStorage<Within>();

function oneSession(
  pglite: PGlite,
  lock: DirectoryLock | undefined,
  acquireTimeoutMs: number,
  clock: Clock,
): Sessions {
  const turns = createTurns(acquireTimeoutMs, clock);
  let within: Within | undefined;
  const session: Session = {
    async run(text, parameters) {
      try {
        const {
          rows,
          command = '',
          affectedRows = 0,
        } = await pglite.query<Record<string, unknown>>(text, [...parameters]);
        return { rows, command, affectedRows: writingCommands.has(command) ? affectedRows : 0 };
      } catch (error) {
        throw cleanError(error);
      }
    },
    async runAll(text) {
      try {
        await pglite.exec(text);
      } catch (error) {
        throw cleanError(error);
      }
    },
    kill() {
      // There is no other session to go to: end whatever transaction is open, before the next turn's statements.
      pglite.query('rollback').catch(() => {}); // No transaction was open.
    },
  };

  const taking = async <T>(fn: () => Promise<T>): Promise<T> => {
    await turns.take();
    try {
      return await fn();
    } finally {
      turns.give();
    }
  };

  return {
    async listen(channel, { onNotify }) {
      const unlisten = await taking(() => pglite.listen(channel, onNotify));
      return { [Symbol.asyncDispose]: () => taking(() => unlisten()) };
    },
    async acquire() {
      const current = flow.getStore();
      if (current?.connection === session && current.open) {
        throw new TypeError(
          'db was used inside its own open transaction: use the transaction that the function was given',
        );
      }
      await turns.take();
      return session;
    },
    release() {
      if (within !== undefined) within.open = false;
      within = undefined;
      turns.give();
    },
    onBegin() {
      within = { connection: session, open: true };
      flow.enterWith(within);
    },
    figures: () => ({
      max: 1,
      open: 1,
      idle: turns.taken ? 0 : 1,
      busy: turns.taken ? 1 : 0,
      waiting: turns.waiting,
    }),
    async close() {
      await turns.close();
      await pglite.close();
      lock?.release();
    },
  };
}
