import { databaseTest } from '@svc/db/testing';
import { expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { newPassword, password } from './open-auth.ts';
import { openMfaApp } from './open-mfa.ts';

const test = databaseTest([authMigrations]);
const pair = {
  accessToken: expect.stringMatching(/^[\w-]{43}$/),
  accessExpiresAt: expect.any(String),
  refreshToken: expect.stringMatching(/^rt_/),
  refreshExpiresAt: expect.any(String),
};
type Pair = Record<keyof typeof pair, string>;
const by = ({ accessToken }: Pair) => ({ authorization: `Bearer ${accessToken}` });

function open(...[db, options]: Parameters<typeof openMfaApp>) {
  const opened = openMfaApp(db, { refresh: {}, ...options });
  const { send, member } = opened;
  return {
    ...opened,
    async client(known?: string) {
      const email = known ?? (await member());
      const login = await send('POST', '/auth/login', { email, password, transport: 'refresh' });
      return { email, login, tokens: (await login.json()) as Pair };
    },
    refresh: ({ refreshToken }: Pair) => send('POST', '/auth/refresh', { refreshToken }),
    me: async (tokens: Pair) => (await send('GET', '/auth/me', undefined, by(tokens))).status,
  };
}

test('login, refresh and logout over HTTP, with tokens in bodies and never in a cookie', async ({
  db,
}) => {
  const { client, refresh, me, send } = open(db);
  const { email, login, tokens } = await client();
  expect([login.status, tokens]).toEqual([
    200,
    {
      status: 'signed_in',
      user: expect.objectContaining({ email }),
      session: expect.objectContaining({ level: 1 }),
      ...pair,
    },
  ]);
  const answer = await refresh(tokens);
  const next = (await answer.json()) as Pair;
  expect([answer.status, next]).toEqual([200, pair]);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  for (const each of [login, answer]) expect(each.headers.get('set-cookie')).toBeNull();
  expect([await me(tokens), await me(next)]).toEqual([401, 200]);
  await send('POST', '/auth/logout', undefined, by(next));
  expect((await refresh(next)).status).toBe(401);
});

test('a token that is refused is answered alike, whatever it is, and is not echoed', async ({
  db,
}) => {
  const { client, refresh } = open(db);
  const { tokens } = await client();
  const next = (await (await refresh(tokens)).json()) as Pair;
  await refresh(next);
  const junk = { ...tokens, refreshToken: 'rt_junk' };
  const bodies = [];
  for (const each of [tokens, junk]) {
    const answer = await refresh(each);
    expect(answer.status).toBe(401);
    const { code, detail, ...rest } = (await answer.json()) as Record<string, unknown>;
    expect(JSON.stringify(rest)).not.toContain(each.refreshToken);
    bodies.push({ code, detail });
  }
  expect(bodies[0]).toEqual(bodies[1]);
  expect(bodies[0]).toMatchObject({ code: 'auth.invalid_refresh_token' });
});

test('a session that is raised goes on with a new pair', async ({ db }) => {
  const { client, refresh, send } = open(db);
  const { tokens } = await client();
  const change = { currentPassword: password, password: newPassword };
  const changed = await send('POST', '/auth/password/change', change, by(tokens));
  const raised = (await changed.json()) as Pair;
  expect(raised).toMatchObject(pair);
  expect(raised).not.toHaveProperty('token');
  expect((await refresh(tokens)).status).toBe(401);
  expect((await refresh(raised)).status).toBe(200);
});

test('the second factor of a login may be answered with tokens', async ({ db }) => {
  const { enrolled, challenge, nextCode, send, refresh } = open(db);
  const { email, secret } = await enrolled();
  const answer = await send('POST', '/auth/mfa/challenge', {
    challenge: await challenge(email),
    method: 'totp',
    code: await nextCode(secret),
    transport: 'refresh',
  });
  const tokens = (await answer.json()) as Pair;
  expect(tokens).toMatchObject({ ...pair, session: { level: 2 } });
  expect((await refresh(tokens)).status).toBe(200);
});

test('where there are no refresh tokens, asking for one is a bad request', async ({ db }) => {
  const { send, member } = openMfaApp(db);
  const login = { email: await member(), password, transport: 'refresh' };
  const answer = await send('POST', '/auth/login', login);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ errors: [{ pointer: '/transport' }] });
});
