import { expect, test } from 'vitest';
import { waitFor } from '../gate/wait.ts';
import { control, expectJson, expectProblem, request, signUpInTenant } from './client.ts';
import {
  createEndpoint,
  createProject,
  deliveriesTo,
  deliveryOf,
  newPath,
  onlyDelivery,
  received,
  settled,
} from './webhooks.ts';

// As the gate sets the waits.
const mostTries = 5;

const answer = (path: string, ...statuses: number[]) =>
  control('hooks/answer', {
    path,
    answers: statuses.map((status) => ({ status, body: `answer ${status}` })),
  });
const replay = (as: string, id: string) =>
  request(`/webhooks/deliveries/${id}/replay`, { method: 'POST', as });
const idsOf = (webhooks: Awaited<ReturnType<typeof received>>) => [
  ...new Set(webhooks.map(({ headers }) => headers['webhook-id'])),
];

test('it is tried until the first success, under one id, the log has each try, and it can be replayed', async () => {
  const { token } = await signUpInTenant();
  const path = newPath();
  await answer(path, 500, 503, 302, 200);
  const { endpoint } = await createEndpoint(token, path);
  await createProject(token);
  await received(path, 4);
  const delivery = await onlyDelivery(token, endpoint.id, 'delivered');
  expect(delivery).toMatchObject({ attempts: 4, nextAttemptAt: null });
  const failed = { outcome: 'failed', error: null };
  expect(delivery.tries).toMatchObject([
    { number: 1, ...failed, status: 500, response: 'answer 500' },
    { number: 2, ...failed, status: 503, response: 'answer 503' },
    { number: 3, ...failed, status: 302, response: 'answer 302' },
    { number: 4, outcome: 'succeeded', status: 200, response: 'answer 200' },
  ]);
  // What is told later arrives, and nothing more of the first.
  await createProject(token);
  expect(await received(path, 5)).toHaveLength(5);

  await expectJson(replay(token, delivery.id), 202);
  const all = await received(path, 6);
  expect(all).toHaveLength(6);
  expect(idsOf(all)).toHaveLength(2);
  expect(all[5]?.headers['webhook-id']).toBe(delivery.eventId);
  expect(all[5]?.body).toBe(all[0]?.body);
  const replayed = await settled(token, delivery.id, 'delivered');
  expect(replayed.tries).toHaveLength(5);
});

test('after the last try it has failed, is tried no more, and can be replayed when the receiver is back', async () => {
  const { token } = await signUpInTenant();
  const path = newPath();
  await answer(path, 500);
  const { endpoint } = await createEndpoint(token, path);
  await createProject(token);
  await received(path, mostTries);
  const { id, tries } = await onlyDelivery(token, endpoint.id, 'failed');
  expect(tries.map(({ status }) => status)).toEqual(Array.from({ length: mostTries }, () => 500));
  await answer(path, 200);
  await createProject(token);
  const all = await received(path, mostTries + 1);
  expect(all).toHaveLength(mostTries + 1);
  const json = { endpointId: endpoint.id, status: 'failed' };
  const replayed = request('/webhooks/replay', { as: token, json });
  expect(await expectJson(replayed, 202)).toEqual({ replayed: 1, hasMore: false });
  expect((await settled(token, id, 'delivered')).attempts).toBe(mostTries + 1);
  expect(idsOf(await received(path, mostTries + 2))).toHaveLength(2);
  const stats = await expectJson(
    request(`/webhooks/stats?endpointId=${endpoint.id}`, { as: token }),
  );
  expect(stats).toMatchObject({
    deliveries: { delivered: 2, failed: 0, pending: 0 },
    attempts: { succeeded: 2, failed: mostTries, lost: 0 },
  });
});

test('an endpoint that answers 410 is turned off, and what was missed is not sent until it is on again', async () => {
  const { token, email } = await signUpInTenant();
  const path = newPath();
  await answer(path, 410, 200);
  const { endpoint } = await createEndpoint(token, path);
  await createProject(token);
  const { id, tries } = await onlyDelivery(token, endpoint.id, 'failed');
  expect(tries).toHaveLength(1);
  const at = `/webhooks/endpoints/${endpoint.id}`;
  expect(await expectJson(request(at, { as: token }))).toMatchObject({ status: 'gone' });
  const told = await control('mail/next', { to: email, timeoutMs: 10_000 });
  expect(told.text).toMatch(`webhook endpoint ${endpoint.id} answered that it is gone`);
  await expectProblem(await replay(token, id), 409, 'webhooks.endpoint_disabled');
  await createProject(token);
  expect(await deliveriesTo(token, endpoint.id)).toHaveLength(1);
  const enabled = request(at, { method: 'PATCH', as: token, json: { isEnabled: true } });
  expect(await expectJson(enabled)).toMatchObject({ status: 'enabled' });
  await expectJson(replay(token, id), 202);
  expect((await settled(token, id, 'delivered')).tries).toHaveLength(2);
});

const settledTry = (as: string, id: string) =>
  waitFor('the try to end', 15_000, async () => {
    const delivery = await deliveryOf(as, id);
    return delivery.tries[0]?.outcome === 'failed' ? delivery : undefined;
  });

test('an endpoint that hangs holds up no other, and its try ends by itself', async () => {
  const { token } = await signUpInTenant();
  const [slow, quick] = [newPath(), newPath()];
  await control('hooks/answer', { path: slow, answers: [{ status: 200, hold: true }] });
  const hanging = await createEndpoint(token, slow);
  await createEndpoint(token, quick);
  for (let made = 0; made < 5; made += 1) await createProject(token);
  await received(slow, 1);
  await received(quick, 5);
  // The others wait until one of the few tries that it may have at once is over.
  const oldest = (await deliveriesTo(token, hanging.endpoint.id)).at(-1);
  expect(oldest).toMatchObject({ status: 'pending' });
  const { tries } = await settledTry(token, oldest?.id as string);
  expect(tries[0]).toMatchObject({ outcome: 'failed', status: null, error: 'timeout' });
  await control('hooks/release', { path: slow });
});

test('what is deleted is told no more, and a paused endpoint catches up', async () => {
  const { token } = await signUpInTenant();
  const path = newPath();
  const { endpoint } = await createEndpoint(token, path);
  const at = `/webhooks/endpoints/${endpoint.id}`;
  const set = (isEnabled: boolean) =>
    expectJson(request(at, { method: 'PATCH', as: token, json: { isEnabled } }));
  await set(false);
  await createProject(token);
  expect(await deliveriesTo(token, endpoint.id)).toEqual([]);
  await set(true);
  await createProject(token);
  await received(path, 1);
  expect((await request(at, { method: 'DELETE', as: token })).status).toBe(204);
  await expectProblem(await request(at, { as: token }), 404, 'webhooks.endpoint_not_found');
  const other = newPath();
  await createEndpoint(token, other);
  await createProject(token);
  await received(other, 1);
  expect(await received(path, 1)).toHaveLength(1);
});
