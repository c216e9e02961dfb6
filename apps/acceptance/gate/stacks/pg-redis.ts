import { type PostgresServer, startPostgres } from '@svc/db/testing';
import { startRedis } from './redis-server.ts';
import { switchRowSecurity } from './row-security.ts';
import { findStored } from './storage.ts';
import type { Backing, BackingOptions, Switchable } from './stack.ts';

/** Real PostgreSQL and Redis servers of the gate's own; `DATABASE_URL` and `REDIS_URL` override them. */
export async function startPgRedis({ children, folder }: BackingOptions): Promise<Backing> {
  const given = givenServers();
  const redis = given.REDIS_URL === undefined ? await startRedis(children, folder) : undefined;
  const redisUrl = { REDIS_URL: given.REDIS_URL ?? redis?.url ?? '' };
  if (given.DATABASE_URL !== undefined) {
    return {
      environment: {
        ...redisUrl,
        DATABASE_URL: given.DATABASE_URL,
        ...(given.DATABASE_OWNER_URL !== undefined && {
          DATABASE_OWNER_URL: given.DATABASE_OWNER_URL,
        }),
      },
      ...(redis !== undefined && { redis }),
      stop: async () => redis?.stop(),
    };
  }

  const server = await startPostgres();
  const asSettings = ({ url, ownerUrl }: { url: string; ownerUrl: string }) => ({
    DATABASE_URL: url,
    DATABASE_OWNER_URL: ownerUrl,
  });
  let count = 0;
  const superuserUrl = new URL(server.superuserUrl);
  superuserUrl.pathname = new URL(server.url).pathname;
  return {
    environment: { ...redisUrl, ...asSettings(server) },
    postgres: switchable(server),
    ...(redis !== undefined && { redis }),
    freshDatabase: async () => asSettings(await server.createDatabase(`fresh_${++count}`)),
    findStored: (texts) =>
      findStored(texts, { superuserUrl: superuserUrl.href, redisUrl: redisUrl.REDIS_URL }),
    switchRowSecurity: (on) => switchRowSecurity(superuserUrl.href, on),
    async stop() {
      await redis?.stop();
      await server.stop();
    },
  };
}

/** Stops and starts a server; a second start of one that runs is none. */
function switchable(server: PostgresServer): Switchable {
  let running = true;
  return {
    async stop() {
      running = false;
      await server.halt();
    },
    async start() {
      if (running) return;
      await server.resume();
      running = true;
    },
  };
}

function givenServers() {
  const { DATABASE_URL, DATABASE_OWNER_URL, REDIS_URL } = process.env;
  return {
    DATABASE_URL: DATABASE_URL || undefined,
    DATABASE_OWNER_URL: DATABASE_OWNER_URL || undefined,
    REDIS_URL: REDIS_URL || undefined,
  };
}
