import { databaseTest } from '@svc/db/testing';
import { expect } from 'vitest';
import { webhooksMigrations } from '../src/migrations.ts';
import { openSink, openWebhooks, projectCreated } from './open-webhooks.ts';

const test = databaseTest([webhooksMigrations]);

test('an endpoint that fails for days is warned about, then disabled, probed, and brought back with what it missed', async ({
  db,
}) => {
  let status = 500;
  await using sink = await openSink(() => ({ status }));
  const { webhooks, endpoints, deliveries, tenantId, work, workNext, clock, notices, jobs } =
    openWebhooks(db);
  const { endpoint } = await endpoints.create({ url: sink.url });
  const stateOf = async () => (await endpoints.get(endpoint.id)).status;
  const publish = (id: string) => webhooks.publish(projectCreated, { tenantId, data: { id } });
  const days = () => (clock.now().getTime() - Date.parse('2026-01-01T00:00:00Z')) / 86_400_000;
  for (let hour = 0; (await stateOf()) === 'enabled'; hour += 1) {
    if (hour % 6 === 0) await publish(`h${hour}`);
    await work();
    await clock.advance('1h');
    if (hour === 46) expect(notices).toEqual([]);
  }
  expect(days()).toBeGreaterThanOrEqual(5);
  expect(days()).toBeLessThan(6);
  expect(notices.map(({ type }) => type)).toEqual(['failing', 'disabled']);
  expect(await stateOf()).toBe('failing');
  await publish('missed');
  await work();
  const probed = sink.received.length;
  const [missed] = await deliveries.list({ status: 'held' });
  expect(missed).toMatchObject({ attempts: 0 });
  // The first probe has failed; the next two come two and four hours later, and nothing else is sent meanwhile.
  await clock.advance('2h');
  await work();
  await clock.advance('4h');
  await work();
  expect(sink.received.length - probed).toBe(2);
  status = 200;
  while (jobs.length > 0) await workNext();
  expect(await stateOf()).toBe('enabled');
  expect(notices.map(({ type }) => type)).toEqual(['failing', 'disabled', 'recovered']);
  expect((await deliveries.get(missed?.id ?? '')).status).toBe('delivered');
  expect(await deliveries.list({ status: 'held' })).toEqual([]);
  expect((await endpoints.get(endpoint.id)).failingSince).toBeNull();
});

test('many failures in one bad night are no reason to disable, nor is a failure now and then', async ({
  db,
}) => {
  let status = 500;
  await using sink = await openSink(() => ({ status }));
  const { webhooks, endpoints, tenantId, work, clock, notices, jobs } = openWebhooks(db);
  const { endpoint } = await endpoints.create({ url: sink.url });
  for (let count = 0; count < 30; count += 1)
    await webhooks.publish(projectCreated, { tenantId, data: { id: String(count) } });
  await work();
  jobs.length = 0;
  await clock.advance('130h');
  await webhooks.publish(projectCreated, { tenantId, data: { id: 'late' } });
  await work();
  expect((await endpoints.get(endpoint.id)).status).toBe('enabled');
  jobs.length = 0;
  for (let hour = 0; hour < 200; hour += 1) {
    status = hour % 2 === 0 ? 500 : 200;
    await webhooks.publish(projectCreated, { tenantId, data: { id: String(hour) } });
    await work();
    jobs.length = 0;
    await clock.advance('1h');
  }
  expect((await endpoints.get(endpoint.id)).status).toBe('enabled');
  expect(notices).toEqual([]);
});

test('after the last probe it stays disabled until somebody enables it; a test brings back what still fails', async ({
  db,
}) => {
  let status = 500;
  await using sink = await openSink(() => ({ status }));
  const opened = openWebhooks(db, {
    disabling: { warnAfter: '1h', disableAfter: '2h', minHours: 2, probeAfter: '1h', maxProbes: 2 },
  });
  const { webhooks, endpoints, deliveries, tenantId, work, workNext, clock, jobs } = opened;
  const stateOf = async (id: string) => (await endpoints.get(id)).status;
  const fail = async () => {
    const { endpoint } = await endpoints.create({ url: sink.url });
    while ((await stateOf(endpoint.id)) === 'enabled') {
      await webhooks.publish(projectCreated, { tenantId, data: { id: 'x' } });
      await work();
      await clock.advance('1h');
    }
    return endpoint.id;
  };
  const first = await fail();
  while (jobs.length > 0) await workNext();
  expect(await stateOf(first)).toBe('disabled');
  await endpoints.remove(first);
  const second = await fail();
  expect(await stateOf(second)).toBe('failing');
  status = 200;
  const { deliveryId } = await endpoints.test(second);
  await work();
  expect(await deliveries.get(deliveryId)).toMatchObject({ isTest: true, status: 'delivered' });
  expect(await stateOf(second)).toBe('enabled');
  while (jobs.length > 0) await workNext();
  expect(await deliveries.list({ status: 'held' })).toEqual([]);
});
