import { expect, test } from 'vitest';
import { expectJson, expectProblem, newAddress, request, signIn, signUp } from './client.ts';

interface SessionList {
  items: { id: string; current: boolean; device: string | null; address: string; level: number }[];
}

const list = (as: string) => expectJson<SessionList>(request('/auth/sessions', { as }));

test('the list shows where one is signed in, newest first, and which session asks', async () => {
  const { email, password, token } = await signUp();
  const login = await request('/auth/login', {
    json: { email, password, transport: 'bearer' },
    headers: { 'user-agent': 'Lynx on a train' },
    from: '203.0.113.9',
  });
  const other = (await expectJson<{ token: string }>(login)).token;
  const { items } = await list(token);
  expect(items).toHaveLength(2);
  expect(items[0]).toMatchObject({
    current: false,
    device: 'Lynx on a train',
    address: '203.0.113.9',
    level: 1,
  });
  expect(items[1]).toMatchObject({ current: true });
  expect((await list(other)).items.map(({ current }) => current)).toEqual([true, false]);
  expect(JSON.stringify(items)).not.toContain(token);
});

test('a revoked session is refused on its very next request, again and again', async () => {
  const { email, password, token } = await signUp();
  const lost = await signIn(email, password);
  const { items } = await list(token);
  const id = items.find(({ current }) => !current)?.id as string;
  // In use until the very moment.
  await Promise.all(Array.from({ length: 20 }, () => request('/auth/me', { as: lost })));
  expect((await request(`/auth/sessions/${id}`, { method: 'DELETE', as: token })).status).toBe(204);
  const after = await Promise.all(
    Array.from({ length: 20 }, () => request('/auth/me', { as: lost })),
  );
  for (const answer of after) await expectProblem(answer, 401, 'auth.unauthenticated');
  expect((await request('/auth/me', { as: token })).status).toBe(200);
  await expectProblem(
    await request(`/auth/sessions/${id}`, { method: 'DELETE', as: token }),
    404,
    'auth.session_not_found',
  );
});

test("nobody sees or ends another person's session", async () => {
  const [owner, stranger] = [await signUp(), await signUp()];
  const id = (await list(owner.token)).items[0]?.id as string;
  expect((await list(stranger.token)).items.map((session) => session.id)).not.toContain(id);
  await expectProblem(
    await request(`/auth/sessions/${id}`, { method: 'DELETE', as: stranger.token }),
    404,
    'auth.session_not_found',
  );
  expect((await request('/auth/me', { as: owner.token })).status).toBe(200);
});

test('signing out everywhere ends every session, and only those of the person', async () => {
  const { email, password, token } = await signUp(newAddress());
  const others = [await signIn(email, password), await signIn(email, password)];
  const bystander = await signUp();
  const ended = await request('/auth/sessions/revoke-others', { method: 'POST', as: token });
  expect(await expectJson(ended)).toEqual({ ended: 2 });
  for (const each of others) await expectProblem(await request('/auth/me', { as: each }), 401);
  const fresh = await signIn(email, password);
  const all = await request('/auth/sessions', { method: 'DELETE', as: token });
  expect(await expectJson(all)).toEqual({ ended: 2 });
  for (const each of [token, fresh])
    await expectProblem(await request('/auth/me', { as: each }), 401);
  expect((await request('/auth/me', { as: bystander.token })).status).toBe(200);
});
