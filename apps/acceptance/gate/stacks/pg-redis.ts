import { startPostgres } from '@svc/db/testing';
import postgres from 'postgres';
import { startRedis } from './redis-server.ts';
import type { Backing, BackingOptions } from './stack.ts';

const owner = 'svc_owner';
const appRole = 'svc_app';

/** Real PostgreSQL and Redis servers of the gate's own; `DATABASE_URL` and `REDIS_URL` override them. */
export async function startPgRedis({ children, folder }: BackingOptions): Promise<Backing> {
  const given = givenServers();
  const redis = given.REDIS_URL === undefined ? await startRedis(children, folder) : undefined;
  const redisUrl = { REDIS_URL: given.REDIS_URL ?? redis?.url ?? '' };
  if (given.DATABASE_URL !== undefined) {
    return {
      environment: { ...redisUrl, DATABASE_URL: given.DATABASE_URL, ...(given.DATABASE_OWNER_URL !== undefined && { DATABASE_OWNER_URL: given.DATABASE_OWNER_URL }) },
      ...(redis !== undefined && { redis }),
      freshDatabase: () => Promise.reject(new Error('DATABASE_URL is set: the gate makes no databases on a server that is not its own')),
      stop: async () => redis?.stop(),
    };
  }

  const server = await startPostgres();
  await query(server.url, [`create role ${owner} login`, `create role ${appRole} login`]);
  let count = 0;
  const freshDatabase = async () => {
    const name = `projects_${++count}`;
    await query(server.url, [`create database ${name} owner ${owner}`]);
    return { DATABASE_URL: urlOf(server.url, name, appRole), DATABASE_OWNER_URL: urlOf(server.url, name, owner) };
  };

  return {
    environment: { ...redisUrl, ...(await freshDatabase()) },
    postgres: { stop: () => server.halt(), start: () => server.resume() },
    ...(redis !== undefined && { redis }),
    freshDatabase,
    async stop() {
      await redis?.stop();
      await server.stop();
    },
  };
}

function givenServers() {
  const { DATABASE_URL, DATABASE_OWNER_URL, REDIS_URL } = process.env;
  return { DATABASE_URL: DATABASE_URL || undefined, DATABASE_OWNER_URL: DATABASE_OWNER_URL || undefined, REDIS_URL: REDIS_URL || undefined };
}

function urlOf(serverUrl: string, database: string, role: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  url.username = role;
  url.password = '';
  return url.href;
}

async function query(url: string, statements: readonly string[]): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    for (const statement of statements) await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}
