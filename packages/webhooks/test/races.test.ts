import { databaseTest } from '@svc/db/testing';
import { expect } from 'vitest';
import { webhooksMigrations } from '../src/migrations.ts';
import { openSink, openWebhooks, projectCreated } from './open-webhooks.ts';

const test = databaseTest([webhooksMigrations]);

test('fifty workers with one job send once', async ({ db }) => {
  await using sink = await openSink();
  const { webhooks, endpoints, tenantId, jobs } = openWebhooks(db);
  await endpoints.create({ url: sink.url });
  await webhooks.publish(projectCreated, { tenantId, data: { id: '1' } });
  const [job] = jobs.splice(0);
  if (job === undefined) throw new Error('nothing was queued');
  await Promise.all(Array.from({ length: 50 }, () => webhooks.deliver(job.payload)));
  expect(sink.received).toHaveLength(1);
});

test('fifty ordered events whose jobs run at once arrive in order', async ({ db }) => {
  await using sink = await openSink();
  const { webhooks, endpoints, deliveries, tenantId, jobs } = openWebhooks(db);
  await endpoints.create({ url: sink.url, isOrdered: true });
  for (let count = 0; count < 50; count += 1)
    await webhooks.publish(projectCreated, { tenantId, data: { id: String(count) } });
  for (let left = jobs.length; left > 0; left = jobs.length)
    await Promise.all(jobs.splice(0).map(({ payload }) => webhooks.deliver(payload)));
  const ids = sink.received.map(
    ({ body }) => (JSON.parse(body) as { data: { id: string } }).data.id,
  );
  expect(ids).toEqual(Array.from({ length: 50 }, (_, at) => String(at)));
  expect(await deliveries.list({ status: 'pending' })).toEqual([]);
});

test('endpoints deleted, switched and published to at once: every delivery ends or waits, none is forgotten', async ({
  db,
}) => {
  await using sink = await openSink();
  const { webhooks, endpoints, deliveries, tenantId, jobs, workNext } = openWebhooks(db);
  const [kept, deleted] = await Promise.all([
    endpoints.create({ url: `${sink.url}/kept` }),
    endpoints.create({ url: `${sink.url}/deleted` }),
  ]);
  const acts = Array.from({ length: 50 }, async (_, at) => {
    if (at === 25) return endpoints.remove(deleted.endpoint.id);
    if (at % 3 === 0) return endpoints.update(kept.endpoint.id, { isEnabled: at % 2 === 0 });
    await webhooks.publish(projectCreated, { tenantId, data: { id: String(at) } });
    return Promise.all(jobs.splice(0).map(({ payload }) => webhooks.deliver(payload)));
  });
  await Promise.all(acts);
  await endpoints.update(kept.endpoint.id, { isEnabled: false });
  await endpoints.update(kept.endpoint.id, { isEnabled: true });
  while (jobs.length > 0) await workNext();
  const all = await deliveries.list({ limit: 200 });
  const left = all.filter(({ status }) => status !== 'delivered' && status !== 'cancelled');
  expect(left).toEqual([]);
  const ofKept = all.filter(({ endpointId }) => endpointId === kept.endpoint.id);
  expect(ofKept.map(({ status }) => status)).not.toContain('cancelled');
});
