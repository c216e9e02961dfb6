import { signedIn } from '@svc/auth/testing';
import { authRoutes, sessionCookieName } from '@svc/auth/hono';
import { systemClock } from '@svc/core';
import type { PostgresServer } from '@svc/db/testing';
import { Hono } from 'hono';
import { type Benchmark, type Prepared, type Sample, WrongAnswer } from '../benchmark.ts';
import { atSteadyRate } from '../load.ts';
import { emailOf, password } from '../sessions/session-service.ts';
import { guardedApp, openAuth } from '../sessions/svc-sessions.ts';

const logins = 500;
const members = 50;
const everyMs = 5;
const beside = `beside ${logins} logins`;

/** Whether people who are signed in notice that many others sign in, at the default cost of a hash. */
export const loginsBesideRequests: Benchmark = {
  name: 'logins-beside-requests',
  summary: `a request every ${everyMs} ms, alone and while ${logins} logins that came at once are worked off`,
  reference: 'session check, alone',
  goals: [
    { variant: `session check, ${beside}`, figure: 'p99Ms', atMost: 50 },
    { variant: `ping, ${beside}`, figure: 'p99Ms', atMost: 50 },
  ],
  prepare,
};

async function prepare(server: PostgresServer): Promise<Prepared> {
  const { auth, close } = await openAuth(server, members, {
    hashing: { maxWaiting: logins },
  });
  const app = new Hono()
    .get('/ping', (c) => c.body(null, 204))
    .route('/me', guardedApp(auth))
    .route('/auth', authRoutes(auth));
  const { token } = signedIn(await auth.login({ email: emailOf(0), password }));
  const expect = async (path: string, status: number, init: RequestInit = {}) => {
    const answer = await app.request(path, init);
    if (answer.status !== status) throw new WrongAnswer(`${path} answered ${answer.status}`);
  };
  const ping = () => expect('/ping', 204);
  const check = () => expect('/me', 204, { headers: { Cookie: `${sessionCookieName}=${token}` } });
  const login = (number: number) =>
    expect('/auth/login', 200, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: emailOf(number % members), password }),
    });

  const alone = (durationMs: number, operation: () => Promise<void>) =>
    atSteadyRate({ everyMs, until: systemClock.sleep(durationMs) }, operation);
  const besideLogins = (operation: () => Promise<void>): Promise<Sample> => {
    const until = Promise.all(Array.from({ length: logins }, (_, number) => login(number)));
    return atSteadyRate({ everyMs, until }, operation);
  };
  return {
    variants: [
      { name: 'session check, alone', run: (durationMs) => alone(durationMs, check) },
      { name: `session check, ${beside}`, run: () => besideLogins(check) },
      { name: `ping, ${beside}`, run: () => besideLogins(ping) },
    ],
    [Symbol.asyncDispose]: close,
  };
}
