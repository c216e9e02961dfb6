import { type Auth, type AuthOptions, createAuth } from '@svc/auth';
import { type AuthEnv, requireUser, sessionCookieName } from '@svc/auth/hono';
import { authMigrations } from '@svc/auth/migrations';
import { fastHashing, recordingOutbox, signedIn } from '@svc/auth/testing';
import { isFailure } from '@svc/core';
import { connect, migrate } from '@svc/db';
import type { PostgresServer } from '@svc/db/testing';
import { Hono } from 'hono';
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

export type DatabaseUrls = Pick<PostgresServer, 'url' | 'ownerUrl'>;

/** Creates the tables, and an Auth with so many members over a pool of the app's role. */
export async function openAuth(
  { url, ownerUrl }: DatabaseUrls,
  members: number,
  options: Partial<AuthOptions> = {},
) {
  const owner = await connect(ownerUrl, { poolSize: 1 });
  await migrate(owner.db, [authMigrations], { appRole: new URL(url).username });
  await owner.close();
  const connection = await connect(url, { poolSize });
  const outbox = recordingOutbox();
  const auth = createAuth({
    db: connection.db,
    sendMail: outbox.sendMail,
    publicUrl,
    appName: 'Bench',
    ...options,
  });
  for (let person = 0; person < members; person += 1) {
    const email = emailOf(person);
    await auth.register({ email, password });
    await auth.verify({ token: await outbox.nextToken('verify', email) });
  }
  await auth.start();
  const close = async () => {
    await auth.stop();
    await connection.close();
  };
  return { auth, close };
}

/** Our sessions in an empty database, as an app has them. */
export async function svcSessions(
  urls: DatabaseUrls,
  options: Partial<AuthOptions> = {},
): Promise<SessionService> {
  const { auth, close } = await openAuth(urls, people, { hashing: fastHashing, ...options });
  const askers: Asker[] = [];
  for (let number = 0; number < people * sessionsPerPerson; number += 1) {
    const signIn = await auth.login({ email: emailOf(number % people), password });
    const { token, user } = signedIn(signIn);
    const revoked = number % revokedEvery === 0;
    if (revoked) await auth.logout({ token });
    askers.push({ cookie: `${sessionCookieName}=${token}`, userId: revoked ? null : user.id });
  }
  return { app: guardedApp(auth), askers, close };
}

/** An app that answers who asks. */
export function guardedApp(auth: Auth) {
  return new Hono<AuthEnv>()
    .onError((error, c) => {
      if (isFailure(error) && error.kind === 'unauthenticated') return c.body(null, 401);
      throw error;
    })
    .get('/', requireUser(auth), (c) => c.body(null, 204, { User: c.get('principal').userId }));
}
