import { beforeAll, expect, test } from 'vitest';
import { waitFor } from '../gate/wait.ts';
import {
  anyAddress,
  control,
  expectJson,
  expectProblem,
  goodPassword,
  newAddress,
  request,
  signUpInTenant,
} from './client.ts';

// As the gate sets them.
const [slowAt, blockAt, slowByMs, mailAddressQuota] = [500, 700, 300, 45];

interface Caller {
  id: string;
  caller: string;
  score: number;
  standing: string;
  blockedUntil: string | null;
}

let admin: string;
beforeAll(async () => {
  admin = (await control('administrator')).token;
});

const callers = async () =>
  (await expectJson<{ items: Caller[] }>(request('/admin/abuse?limit=100', { as: admin }))).items;
const find = async (address: string) => (await callers()).find(({ caller }) => caller === address);
const unblock = (id: string, as = admin) => request(`/admin/abuse/${id}`, { method: 'DELETE', as });

/** Addresses that cannot be read: refused before any limit, and 2 points each. */
async function misbehave(from: string, points: number, headers: Record<string, string> = {}) {
  for (let sent = 0; sent < points / 2; sent += 25) {
    const some = Array.from({ length: Math.min(25, points / 2 - sent) });
    await Promise.all(some.map(() => request('/%zz', { from, headers })));
  }
}

test('what a page of another site makes a browser send is not held against its visitor', async () => {
  const from = anyAddress();
  const foreign = { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' };
  await misbehave(from, blockAt + 20, foreign);
  const refused = await request('/ping', { from, headers: foreign });
  await expectProblem(refused, 403, 'ratelimit.caller_blocked');
  expect((await request('/ping', { from })).status).toBe(200);
  expect(await find(`${from} cross-site`)).toMatchObject({ standing: 'blocked' });
  expect(await find(from)).toBeUndefined();
});

async function timed(send: () => Promise<Response>) {
  const startedAt = performance.now();
  const { status } = await send();
  return { status, tookMs: performance.now() - startedAt };
}

test('each kind of misbehaviour is counted against the address it comes from, and what is not is not', async () => {
  const from = anyAddress();
  const json = { 'content-type': 'application/json' };
  const sends: [string, number, () => Promise<Response>][] = [
    ['a good request', 0, () => request('/ping', { from })],
    ['a probe', 0, () => request('/healthz', { from })],
    ['a request without a session', 0, () => request('/projects', { from })],
    ['input that does not fit', 0, () => request('/auth/register', { from, json: {} })],
    ['an unknown route', 2, () => request('/wp-login.php', { from })],
    ['an address that cannot be read', 2, () => request('/%zz', { from })],
    ['malformed JSON', 2, () => request('/auth/login', { from, body: '{', headers: json })],
    [
      'a body over the limit',
      5,
      () => request('/auth/login', { from, body: 'x'.repeat(1_500_000), headers: json }),
    ],
    [
      'a failed sign-in',
      5,
      () => request('/auth/login', { from, json: { email: newAddress(), password: goodPassword } }),
    ],
  ];
  // Among the worst that are listed, whatever other scenarios do.
  await misbehave(from, 100);
  const scoreOf = async () => (await find(from))?.score ?? 0;
  // What is counted is counted after the answer; a score halves in minutes.
  let before = await waitFor('what came before to be counted', 5000, async () => {
    const score = await scoreOf();
    return Math.round(score) === 100 ? score : undefined;
  });
  for (const [what, points, send] of sends) {
    await send();
    before = await waitFor(`${what} to count ${points}`, 5000, async () => {
      const score = await scoreOf();
      return Math.round(score - before) === points ? score : undefined;
    });
  }
});

test('what a limit refuses is counted, too', async () => {
  const from = anyAddress();
  await misbehave(from, 100);
  // Each route that sends mails counts, also what it then refuses.
  const send = () =>
    request('/auth/password/forgot', { from, json: { email: newAddress(), other: true } });
  const answers = await Promise.all(Array.from({ length: mailAddressQuota + 30 }, send));
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(30);
  const { score = 0, standing } = (await find(from)) ?? {};
  expect(standing).toBe('good');
  // Each counts once; a score halves in minutes, so a slow machine sees some of it gone.
  expect(score).toBeGreaterThan(126);
  expect(score).toBeLessThanOrEqual(130);
});

test('who goes on is slowed down, then cut off, others are not; staff sees it, and lets in again', async () => {
  const { token } = await signUpInTenant();
  const [from, other] = [anyAddress(), anyAddress()];
  const ping = (address: string) => timed(() => request('/ping', { from: address }));
  await misbehave(from, slowAt + 20);
  expect(await find(from)).toMatchObject({ standing: 'slowed', blockedUntil: null });
  const slowed = await ping(from);
  expect(slowed.status).toBe(200);
  expect(slowed.tookMs).toBeGreaterThanOrEqual(slowByMs);
  const free = await Promise.all([ping(other), ping(other), ping(other)]);
  expect(Math.min(...free.map(({ tookMs }) => tookMs))).toBeLessThan(slowByMs);

  await misbehave(from, blockAt - slowAt);
  const blocked = await request('/ping', { from });
  expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(60);
  const problem = await expectProblem(blocked, 403, 'ratelimit.caller_blocked');
  expect((await fetch(problem.type)).status).toBe(200);
  // Whoever it says it is: a proxy writes on the right, and what stands left of that anybody may have written.
  for (const address of [from, `${other}, ${from}`])
    await expectProblem(
      await request('/projects', { from: address, as: token, json: { name: 'x' } }),
      403,
      'ratelimit.caller_blocked',
    );
  for (const probe of ['/healthz', '/readyz', '/startupz'])
    expect((await request(probe, { from })).status).toBe(200);
  expect((await request('/ping', { from: other })).status).toBe(200);
  expect((await request('/projects', { from: other, as: token })).status).toBe(200);

  const [worst] = await callers();
  expect(worst).toMatchObject({ caller: from, standing: 'blocked' });
  const { id, blockedUntil } = worst as Caller;
  expect(new Date(blockedUntil as string).getTime()).toBeGreaterThan(Date.now() + 60_000);
  await expectProblem(await unblock(id, token), 403, 'auth.access_denied');
  await expectProblem(await request(`/admin/abuse/${id}`, { method: 'DELETE' }), 401);
  await expectProblem(await request('/admin/abuse', { as: token }), 403, 'auth.access_denied');
  expect((await request('/ping', { from })).status).toBe(403);

  expect((await unblock(id)).status).toBe(204);
  const again = await ping(from);
  expect(again.status).toBe(200);
  expect(again.tookMs).toBeLessThan(slowByMs);
  expect(await find(from)).toBeUndefined();
  // Nothing is held against it any more: that it is asked for twice is no fault.
  expect((await unblock(id)).status).toBe(204);

  const entry = await waitFor('the audit log to have it', 3000, async () => {
    const path = '/admin/audit/events?type=abuse.caller_unblocked';
    const page = await expectJson<{ items: { actor: { type: string }; outcome: string }[] }>(
      request(path, { as: admin }),
    );
    return page.items.find((each) => JSON.stringify(each).includes(from));
  });
  expect(entry).toMatchObject({ outcome: 'success', actor: { type: 'user' } });
});
