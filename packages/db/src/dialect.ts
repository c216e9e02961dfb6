import { type Clock, isFailure, type Logger } from '@svc/core';
import {
  type DatabaseConnection,
  type Dialect,
  type DialectAdapter,
  type Driver,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from 'kysely';
import { encodeParameter } from './codec.ts';
import { connectionAcquired, connectionFailed } from './events.ts';
import { CommitRolledBack, QueryFailed } from './failures.ts';
import { takeSettings } from './transaction-settings.ts';
import type { Session, Sessions } from './session.ts';

export interface DialectOptions {
  /** What events call the connection. */
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The Kysely dialect of both engines. */
export function createDialect(
  sessions: Sessions,
  adapter: DialectAdapter,
  options: DialectOptions,
): Dialect {
  return {
    createAdapter: () => adapter,
    createDriver: () => createDriver(sessions, options),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

interface SessionConnection extends DatabaseConnection {
  readonly session: Session;
  inTransaction: boolean;
}

function createDriver(sessions: Sessions, { name, clock, logger }: DialectOptions): Driver {
  const connections = new WeakMap<Session, SessionConnection>();
  const sessionOf = (connection: DatabaseConnection) => (connection as SessionConnection).session;
  const say = (connection: DatabaseConnection, text: string) => sessionOf(connection).run(text, []);

  const acquire = async () => {
    const askedAtMs = clock.elapsedMs();
    try {
      const session = await sessions.acquire();
      connectionAcquired.publish(name, { waitedMs: clock.elapsedMs() - askedAtMs });
      return session;
    } catch (error) {
      const reason = isFailure(error)
        ? error.code
        : error instanceof Error
          ? error.name
          : 'unknown';
      connectionFailed.publish(name, { reason, waitedMs: clock.elapsedMs() - askedAtMs });
      throw error;
    }
  };

  return {
    async init() {},
    async acquireConnection() {
      const session = await acquire();
      let connection = connections.get(session);
      if (connection === undefined) {
        connection = toConnection(session);
        connections.set(session, connection);
      }
      return connection;
    },
    // Not async up to onBegin: PGlite's guard marks the calling flow, which an await would leave.
    beginTransaction(connection, settings) {
      sessions.onBegin(sessionOf(connection));
      (connection as SessionConnection).inTransaction = true;
      const begun = sessionOf(connection).runAll(`${beginStatement(settings)}${takeSettings()}`);
      return begun.catch(async (error: unknown) => {
        // Refused by what came with BEGIN: the session is whole, and only its transaction has to go.
        if (error instanceof QueryFailed)
          await say(connection, 'rollback').then(
            () => void ((connection as SessionConnection).inTransaction = false),
            () => {}, // It is dropped where it is released.
          );
        throw error;
      });
    },
    async commitTransaction(connection) {
      const { command } = await say(connection, 'commit');
      (connection as SessionConnection).inTransaction = false;
      // PostgreSQL answers COMMIT of a failed transaction with success, and the tag ROLLBACK.
      if (command === 'ROLLBACK') throw new CommitRolledBack();
    },
    async rollbackTransaction(connection) {
      if (!(connection as SessionConnection).inTransaction) return;
      try {
        await say(connection, 'rollback');
        (connection as SessionConnection).inTransaction = false;
      } catch (error) {
        // The server rolls back what it lost; the error that led here is the one to report.
        logger.warn({ err: error }, 'a rollback failed; its connection is dropped');
        sessionOf(connection).kill();
      }
    },
    savepoint: async (connection, name) =>
      void (await say(connection, `savepoint "${quoted(name)}"`)),
    rollbackToSavepoint: async (connection, name) =>
      void (await say(connection, `rollback to savepoint "${quoted(name)}"`)),
    releaseSavepoint: async (connection, name) =>
      void (await say(connection, `release savepoint "${quoted(name)}"`)),
    async releaseConnection(connection) {
      const session = sessionOf(connection);
      // A BEGIN or COMMIT that failed leaves a session whose state nobody knows.
      if ((connection as SessionConnection).inTransaction) session.kill();
      (connection as SessionConnection).inTransaction = false;
      sessions.release(session);
    },
    destroy: () => sessions.close(),
  };
}

const quoted = (name: string) => name.replaceAll('"', '""');

function beginStatement({ isolationLevel, accessMode }: TransactionSettings): string {
  const isolation = isolationLevel === undefined ? '' : ` isolation level ${isolationLevel}`;
  return `begin${isolation}${accessMode === undefined ? '' : ` ${accessMode}`}`;
}

function toConnection(session: Session): SessionConnection {
  return {
    session,
    inTransaction: false,
    async executeQuery<R>({ sql, parameters }: { sql: string; parameters: readonly unknown[] }) {
      const { rows, affectedRows } = await session.run(sql, parameters.map(encodeParameter));
      return { rows: rows as R[], numAffectedRows: BigInt(affectedRows) } satisfies QueryResult<R>;
    },
    // oxlint-disable-next-line require-yield -- it refuses before it could
    async *streamQuery(): AsyncGenerator<never> {
      throw new TypeError('streaming is not supported: page through the rows instead');
    },
  };
}
