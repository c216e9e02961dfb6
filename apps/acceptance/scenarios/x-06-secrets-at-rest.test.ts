import { softwareAuthenticator } from '@svc/auth/testing';
import { expect, test } from 'vitest';
import {
  baseUrl,
  control,
  createTenant,
  expectJson,
  goodPassword,
  inTenant,
  newAddress,
  request,
  signIn,
  tokenFromMail,
} from './client.ts';
import { idOf } from './members.ts';
import { codeOf } from './totp.ts';
import { createEndpoint, createProject, newPath, received, sendTest } from './webhooks.ts';

interface Raised {
  token: string;
}
interface Ceremony<Kind extends 'create' | 'get'> {
  challenge: string;
  options: Parameters<ReturnType<typeof softwareAuthenticator>[Kind]>[0];
}

const kept = new Map<string, string>();
/** Remembers a secret, and answers it. */
function keep(kind: string, secret: string): string {
  expect(secret, kind).toMatch(/^.{8,}$/);
  kept.set(secret, kind);
  return secret;
}

/** A secret as text, and as the bytes of the text and of what it encodes; tables show bytes as hex. */
function formsOf(secret: string): string[] {
  const compact = secret.replaceAll('-', '');
  const bytes = [Buffer.from(secret), Buffer.from(compact), Buffer.from(secret, 'base64url')];
  const encoded = bytes.flatMap((each) => [
    each.toString('hex'),
    each.toString('base64url'),
    each.toString('base64'),
  ]);
  return [secret, compact, ...encoded].filter((form) => form.length >= 8);
}

const post = (path: string, json: object, as?: string) =>
  request(path, { method: 'POST', json, ...(as !== undefined && { as }) });
const mailed = async (to: string, path: string) =>
  keep('mailed token', await tokenFromMail(to, path));
const enter = async (email: string, password: string) =>
  keep('session', await signIn(email, keep('password', password)));
const raise = async (path: string, json: object, as?: string) =>
  keep('session', (await expectJson<Raised>(post(path, json, as))).token);

async function register(email = newAddress('secrets')) {
  await post('/auth/register', { email, password: keep('password', goodPassword) });
  await mailed(email, '/auth/verify');
  await post('/auth/verify/resend', { email });
  const token = await mailed(email, '/auth/verify');
  // As the mail's link is opened, in a browser.
  expect((await request(`/auth/verify?token=${token}`)).status).toBe(200);
  expect((await post('/auth/verify', { token })).status).toBe(200);
  return { email, token: await enter(email, goodPassword) };
}

async function changeAccount() {
  const { email } = await register();
  await post('/auth/login', { email, password: keep('password', 'a guess of some stranger') });
  await post('/auth/password/forgot', { email });
  const reset = await mailed(email, '/auth/password/reset');
  expect((await request(`/auth/password/reset?token=${reset}`)).status).toBe(200);
  const [second, third] = ['eight loud badgers at dusk', 'nine calm herons at noon'];
  await post('/auth/password/reset', { token: reset, password: keep('password', 'too short') });
  expect((await post('/auth/password/reset', { token: reset, password: second })).status).toBe(204);
  const before = await enter(email, second);
  const change = { currentPassword: second, password: keep('password', third) };
  const changed = await raise('/auth/password/change', change, before);
  const stepped = await raise('/auth/step-up', { method: 'password', password: third }, changed);
  const next = newAddress('secrets');
  await post('/auth/email/change', { email: next }, stepped);
  const moved = await mailed(next, '/auth/email/confirm');
  expect((await post('/auth/email/confirm', { token: moved })).status).toBe(200);
  const last = await enter(next, third);
  // Links that nobody follows.
  await post('/auth/password/forgot', { email: next });
  await mailed(next, '/auth/password/reset');
  expect((await post('/auth/logout', {}, last)).status).toBe(204);
}

const challengeOf = async (email: string) => {
  const json = { email, password: goodPassword, transport: 'bearer' };
  const { challenge } = await expectJson<{ challenge: string }>(post('/auth/login', json), 202);
  return keep('challenge', challenge);
};

async function useApp() {
  const { email, token } = await register();
  const { secret } = await expectJson<{ secret: string }>(post('/auth/mfa/totp', {}, token));
  keep('totp secret', secret);
  const confirmed = await expectJson<Raised & { recoveryCodes: string[] }>(
    post('/auth/mfa/totp/confirm', { code: codeOf(secret, -1) }, token),
  );
  keep('session', confirmed.token);
  for (const code of confirmed.recoveryCodes) keep('recovery code', code);
  const answer = async (method: string, code: string, more: object = {}) =>
    post('/auth/mfa/challenge', { challenge: await challengeOf(email), method, code, ...more });
  const guess = keep('recovery code', 'AAAA-BBBB-CCCC-DDDD-EEEE-FFFF');
  expect((await answer('recovery_code', guess)).status).toBe(401);
  const [code] = confirmed.recoveryCodes as [string];
  const used = await answer('recovery_code', code, { transport: 'bearer' });
  keep('session', (await expectJson<Raised>(used)).token);
  // A browser: both secrets are in cookies.
  const trusted = await answer('totp', codeOf(secret), { trustDevice: true });
  const cookies = trusted.headers.getSetCookie().map((line) => line.split(/[=;]/)[1] as string);
  expect(cookies).toHaveLength(2);
  for (const cookie of cookies) keep('cookie', cookie);
  const shown = { method: 'totp', code: codeOf(secret, 1) };
  await raise('/auth/step-up', shown, confirmed.token);
}

async function usePasskey() {
  const { email, token } = await register();
  const { origin, hostname: rpId } = new URL(baseUrl);
  const device = softwareAuthenticator({ origin, rpId });
  const creation = await expectJson<Ceremony<'create'>>(
    post('/auth/mfa/passkeys/options', {}, token),
  );
  keep('challenge', creation.challenge);
  keep('webauthn nonce', creation.options.challenge);
  const added = { challenge: creation.challenge, response: device.create(creation.options) };
  const raised = await raise('/auth/mfa/passkeys', { ...added, name: 'Phone' }, token);
  const ceremony = async (path: string, json: object, as?: string) => {
    const begun = await expectJson<Ceremony<'get'>>(post(path, json, as));
    keep('webauthn nonce', begun.options.challenge);
    return { ...begun, response: device.get(begun.options) };
  };
  const { challenge, response } = await ceremony('/auth/passkeys/login/options', {});
  keep('challenge', challenge);
  const bearer = { transport: 'bearer' };
  await raise('/auth/passkeys/login', { challenge, response, ...bearer });
  const half = { challenge: await challengeOf(email) };
  const second = await ceremony('/auth/mfa/challenge/passkey/options', half);
  await raise('/auth/mfa/challenge/passkey', { ...half, response: second.response, ...bearer });
  const step = await ceremony('/auth/step-up/passkey/options', {}, raised);
  const answer = { challenge: keep('challenge', step.challenge), response: step.response };
  await raise('/auth/step-up/passkey', answer, raised);
}

async function useKeys() {
  const { token } = await register();
  const tenantId = await createTenant(token);
  const guest = newAddress('secrets');
  const invited = { email: guest, role: 'member' };
  await expectJson(post(`/tenants/${tenantId}/invitations`, invited, token), 201);
  await mailed(guest, '/invitations/accept');
  const json = { name: 'Nightly import', scopes: ['project.list'] };
  const made = await expectJson<{ id: string; key: string }>(
    post('/auth/api-keys', json, token),
    201,
  );
  const rotated = await expectJson<{ key: string }>(
    post(`/auth/api-keys/${made.id}/rotate`, {}, token),
    201,
  );
  for (const key of [made.key, rotated.key]) {
    keep('api key', key);
    keep('api key', key.split('_')[2]?.slice(0, 43) as string);
    expect((await request('/projects', { as: key, headers: inTenant(tenantId) })).status).toBe(200);
    // Where it does not belong, and where logs like to keep it.
    expect((await request(`/projects?api_key=${key}`)).status).toBe(401);
  }
}

async function refreshTokens() {
  const { email } = await register();
  const login = { email, password: goodPassword, transport: 'refresh' };
  for (let path = '/auth/login', json: object = login, round = 0; round < 3; round += 1) {
    const pair = await expectJson<{ accessToken: string; refreshToken: string }>(post(path, json));
    keep('session', pair.accessToken);
    const refreshToken = keep('refresh token', pair.refreshToken);
    [path, json] = ['/auth/refresh', { refreshToken }];
  }
}

async function useWebhooks() {
  const { token } = await register();
  await createTenant(token);
  const path = newPath();
  const headers = { 'x-receiver-token': keep('webhook header', 'the receiver knows us by this') };
  // A receiver that says what it was sent, as some do where they fail.
  const said = headers['x-receiver-token'];
  await control('hooks/answer', { path, answers: [{ status: 500, body: said }, { status: 200 }] });
  const { endpoint, secret } = await createEndpoint(token, path, { headers });
  const rotated = await expectJson<{ secret: string }>(
    post(`/webhooks/endpoints/${endpoint.id}/rotate`, { overlapSeconds: 3600 }, token),
  );
  for (const each of [secret, rotated.secret])
    keep('webhook secret', keep('webhook secret', each).slice('whsec_'.length));
  await createProject(token);
  const sent = await received(path, 2);
  expect(sent[1]?.headers).toMatchObject(headers);
  expect((await sendTest(token, endpoint.id)).status).toBe('delivered');
}

test('after every flow, no secret that was handed out or in stands in a table, a Redis key or the log', async () => {
  const { email, token } = await register();
  const userId = await idOf(token);
  await changeAccount();
  await useApp();
  await usePasskey();
  await useKeys();
  await refreshTokens();
  await useWebhooks();
  const counts: Record<string, number> = {};
  for (const kind of kept.values()) counts[kind] = (counts[kind] ?? 0) + 1;
  expect(counts).toEqual({
    'api key': 4,
    challenge: 7,
    cookie: 2,
    'mailed token': 18,
    password: 5,
    'recovery code': 11,
    'refresh token': 3,
    session: 21,
    'totp secret': 1,
    'webauthn nonce': 4,
    'webhook header': 1,
    'webhook secret': 4,
  });
  const forms = new Map(
    [...kept].flatMap(([secret, kind]) => formsOf(secret).map((form) => [form, kind] as const)),
  );
  const found = await control('storage/find', { texts: [...forms.keys(), email, userId] });
  // What is known to be there is found, in the same search.
  expect(found.map(({ text, places }) => [forms.get(text) ?? text, places])).toEqual([
    [email, ['svc_auth.users']],
    // The queue says whom a mail is for, by their id.
    [userId, expect.arrayContaining(['svc_auth.users', 'svc_jobs.finished'])],
  ]);
  const log = await control('app/log');
  expect(log).toContain('/auth/password/reset');
  expect([...forms].filter(([form]) => log.includes(form)).map(([, kind]) => kind)).toEqual([]);
});
