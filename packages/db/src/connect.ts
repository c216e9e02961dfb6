import { type Clock, type Logger, silentLogger, systemClock } from '@svc/core';
import { Kysely, sql } from 'kysely';
import { adapterWithin, type Connection } from './connection.ts';
import { createDialect } from './dialect.ts';
import type { Sessions } from './session.ts';

export interface ConnectOptions {
  /** The most connections to PostgreSQL; PGlite has one. @default 10 */
  poolSize?: number;
  /** Milliseconds until opening a connection is given up. @default 5000 */
  connectTimeoutMs?: number;
  /** Milliseconds to wait for a free connection. @default 10000 */
  acquireTimeoutMs?: number;
  /** Milliseconds until a statement without an answer costs its connection; it may still be carried out. @default none */
  statementTimeoutMs?: number;
  /** Set on every connection; created on PGlite, whose only user is a superuser. @default the user of the URL */
  role?: string;
  /** What events call it. @default 'database' */
  name?: string;
  /** @default systemClock */
  clock?: Clock;
  /** @default silentLogger */
  logger?: Logger;
}

/** A role is spliced into SQL (`set role` takes no parameters), so its alphabet is closed. */
const roleName = /^[a-z_][a-z0-9_]{0,62}$/;

/**
 * Opens a database and proves that it answers: `postgres://…` on PostgreSQL, `pglite:DIRECTORY` or `pglite://memory`
 * in this process. Both give the same JavaScript types.
 *
 * @throws {DatabaseUnavailable} when PostgreSQL does not answer in time.
 * @throws {DatabaseLocked} when another process, or this one, has the directory open.
 * @throws {TypeError} on a URL or an option that is not valid.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Connection> {
  const { poolSize = 10, connectTimeoutMs = 5000, acquireTimeoutMs = 10_000 } = options;
  const {
    statementTimeoutMs,
    role,
    name = 'database',
    clock = systemClock,
    logger = silentLogger,
  } = options;
  if (!Number.isInteger(poolSize) || poolSize < 1)
    throw new TypeError('poolSize must be a whole number above 0');
  if (role !== undefined && !roleName.test(role)) {
    throw new TypeError('role must be lower-case letters, digits and underscores');
  }
  if (statementTimeoutMs !== undefined && !(statementTimeoutMs > 0))
    throw new TypeError('statementTimeoutMs must be above 0');
  const common = { connectTimeoutMs, acquireTimeoutMs, role, name, clock, logger };
  if (/^postgres(?:ql)?:\/\//.test(url)) {
    if (!URL.canParse(url)) throw new TypeError('the database URL is not a URL');
    const { openPostgres } = await import('./postgres/pool.ts');
    const sessions = await openPostgres({ url, max: poolSize, statementTimeoutMs, ...common });
    return connectionOver(sessions, 'postgres', clock, logger, name);
  }
  const { openPglite } = await import('./pglite/open.ts');
  const sessions = await openPglite({ directory: pgliteDirectory(url), ...common });
  return connectionOver(sessions, 'pglite', clock, logger, name);
}

function pgliteDirectory(url: string): string | undefined {
  if (url === 'pglite://memory') return undefined;
  const directory = /^pglite:(?!\/\/)(.+)$/.exec(url)?.[1];
  // The URL may hold a password: it is not repeated.
  if (directory === undefined) {
    throw new TypeError(
      'the database URL must be postgres://…, pglite:DIRECTORY or pglite://memory',
    );
  }
  return directory;
}

/** A connection over any sessions. */
export function connectionOver(
  sessions: Sessions,
  engine: Connection['engine'],
  clock: Clock,
  logger: Logger,
  name = 'database',
): Connection {
  const adapter = adapterWithin({ engine, clock, logger, listen: sessions.listen });
  const db = new Kysely<unknown>({
    dialect: createDialect(sessions, adapter, { name, clock, logger }),
  });
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= sessions.close());
  return {
    name,
    db,
    engine,
    async ping() {
      await sql`select 1`.execute(db);
    },
    pool: () => sessions.figures(),
    close,
    [Symbol.asyncDispose]: close,
  };
}
