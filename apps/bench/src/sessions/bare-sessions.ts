import { sessionCookieName } from '@svc/auth/hono';
import { sha256, systemClock } from '@svc/core';
import type { PostgresServer } from '@svc/db/testing';
import { Hono } from 'hono';
import { getCookie } from 'hono/cookie';
import postgres from 'postgres';
import { type Asker, poolSize, type SessionService } from './session-service.ts';

/** The query of our sessions and nothing else, over postgres.js: what there is to win. */
export function bareSessions(server: PostgresServer, askers: readonly Asker[]): SessionService {
  const sql = postgres(server.url, { max: poolSize });
  const app = new Hono<{ Variables: { userId: string } }>().get(
    '/',
    async (c, next) => {
      const token = getCookie(c, sessionCookieName) ?? '';
      const now = systemClock.now();
      const [row] = await sql`
        select s.*, u.email, u.name, u.verified_at, u.created_at as user_created_at
        from svc_auth.sessions s join svc_auth.users u on u.id = s.user_id
        where s.token_hash = ${sha256(token) as Buffer} and s.revoked_at is null
          and s.idle_expires_at > ${now} and s.absolute_expires_at > ${now} and u.disabled_at is null`;
      if (row === undefined) return c.body(null, 401);
      c.set('userId', row['user_id'] as string);
      return next();
    },
    (c) => c.body(null, 204, { User: c.get('userId') }),
  );
  return { app, askers, close: () => sql.end() };
}
