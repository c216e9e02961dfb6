import type { PostgresServer } from '@svc/db/testing';
import { betterAuth, type BetterAuthOptions } from 'better-auth';
import { getMigrations } from 'better-auth/db';
import { Hono } from 'hono';
import pg from 'pg';
import {
  type Asker,
  emailOf,
  password,
  people,
  poolSize,
  publicUrl,
  revokedEvery,
  type SessionService,
  sessionsPerPerson,
} from './session-service.ts';

/** The sessions of better-auth in a database of its own on the same server, mounted as its guide for Hono shows. */
export async function betterAuthSessions(
  server: PostgresServer,
  database: string,
  options: Pick<BetterAuthOptions, 'experimental' | 'session'> = {},
): Promise<SessionService> {
  const { ownerUrl } = await server.createDatabase(database);
  const pool = new pg.Pool({ connectionString: ownerUrl, max: poolSize });
  const settings = {
    database: pool,
    baseURL: publicUrl,
    secret: 'only-for-a-benchmark-0123456789abcdef',
    telemetry: { enabled: false },
    emailAndPassword: {
      enabled: true,
      // Nobody signs in while it is measured; its scrypt would take minutes to fill the tables.
      password: {
        hash: async (plain: string) => plain,
        verify: async ({ hash, password: plain }: { hash: string; password: string }) =>
          hash === plain,
      },
    },
    ...options,
  } satisfies BetterAuthOptions;
  await (await getMigrations(settings)).runMigrations();
  const auth = betterAuth(settings);

  const askers: Asker[] = [];
  for (let number = 0; number < people * sessionsPerPerson; number += 1) {
    const body = { email: emailOf(number % people), password };
    if (number < people) await auth.api.signUpEmail({ body: { ...body, name: 'Ada' } });
    const { headers, response } = await auth.api.signInEmail({ body, returnHeaders: true });
    const cookie = headers
      .getSetCookie()
      .map((each) => each.split(';', 1)[0])
      .join('; ');
    const revoked = number % revokedEvery === 0;
    if (revoked) await auth.api.signOut({ headers: new Headers({ cookie }) });
    askers.push({ cookie, userId: revoked ? null : response.user.id });
  }

  const app = new Hono<{ Variables: { userId: string } }>().get(
    '/',
    async (c, next) => {
      const session = await auth.api.getSession({ headers: c.req.raw.headers });
      if (session === null) return c.body(null, 401);
      c.set('userId', session.user.id);
      return next();
    },
    (c) => c.body(null, 204, { User: c.get('userId') }),
  );
  return { app, askers, close: () => pool.end() };
}
