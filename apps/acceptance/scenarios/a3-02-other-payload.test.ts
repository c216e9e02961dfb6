import { expect, test } from 'vitest';
import { expectJson, expectProblem, request, signUpInTenant } from './client.ts';

const create = (as: string, key: string, name: string) =>
  request('/projects', { as, json: { name }, headers: { 'idempotency-key': key } });

test('the same key with another body is a conflict, and makes nothing', async () => {
  const { token } = await signUpInTenant();
  const key = crypto.randomUUID();
  expect((await create(token, key, 'Apollo')).status).toBe(201);
  await expectProblem(await create(token, key, 'Gemini'), 409, 'idempotency.key_reused');
  const { items } = await expectJson<{ items: { name: string }[] }>(
    request('/projects', { as: token }),
  );
  expect(items.map(({ name }) => name)).toEqual(['Apollo']);
});

test('another caller with the same key is independent', async () => {
  const [one, other] = [await signUpInTenant(), await signUpInTenant()];
  const key = crypto.randomUUID();
  const [first, second] = [
    await expectJson<{ id: string }>(create(one.token, key, 'Apollo'), 201),
    await expectJson<{ id: string }>(create(other.token, key, 'Apollo'), 201),
  ];
  expect(second.id).not.toBe(first.id);
  await expectProblem(await request(`/projects/${first.id}`, { as: other.token }), 404);
});
