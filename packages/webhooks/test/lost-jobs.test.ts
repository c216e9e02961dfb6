import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { webhooksMigrations } from '../src/migrations.ts';
import { openSink, openWebhooks, projectCreated } from './open-webhooks.ts';

describeDatabases('deliveries that nobody would make', [webhooksMigrations], (test) => {
  test('get a job again by the purge when theirs was lost, and are made once', async ({ db }) => {
    await using sink = await openSink();
    const { webhooks, endpoints, tenantId, jobs, work, clock } = openWebhooks(db);
    await endpoints.create({ url: sink.url });
    await webhooks.publish(projectCreated, { tenantId, data: { id: 'lost' } });
    const [lost] = jobs.splice(0);
    expect(await webhooks.purge()).toMatchObject({ queuedAgain: 0 });
    await clock.advance('61m');
    expect(await webhooks.purge()).toMatchObject({ queuedAgain: 1 });
    expect(await webhooks.purge()).toMatchObject({ queuedAgain: 0 });
    await work();
    expect(sink.received).toHaveLength(1);
    expect(await webhooks.deliver(lost!.payload)).toBe('stale');
    await clock.advance('2h');
    expect(await webhooks.purge()).toMatchObject({ queuedAgain: 0 });
  });

  test('are kept as long as they are held, and sent when the endpoint is on again', async ({
    db,
  }) => {
    await using sink = await openSink();
    const { webhooks, endpoints, deliveries, tenantId, work, workNext, clock } = openWebhooks(db);
    const { endpoint } = await endpoints.create({ url: sink.url });
    await webhooks.publish(projectCreated, { tenantId, data: { id: 'held' } });
    await endpoints.update(endpoint.id, { isEnabled: false });
    await work();
    await clock.advance('31d');
    await webhooks.purge();
    expect(await deliveries.list()).toMatchObject([{ status: 'held' }]);
    await endpoints.update(endpoint.id, { isEnabled: true });
    await workNext();
    expect(sink.received).toHaveLength(1);
  });

  test('do not come back in a circle when the queue is ahead of our clock', async ({ db }) => {
    await using sink = await openSink(() => ({ status: 500 }));
    const { webhooks, endpoints, tenantId, jobs, work, clock } = openWebhooks(db);
    await endpoints.create({ url: sink.url });
    await webhooks.publish(projectCreated, { tenantId, data: { id: 'early' } });
    await work();
    const [retry] = jobs.splice(0);
    await clock.advance(`${retry!.runAt!.getTime() - clock.now().getTime() - 1}ms`);
    expect(await webhooks.deliver(retry!.payload)).toBe('deferred');
    expect(jobs[0]!.runAt!.getTime() - clock.now().getTime()).toBeGreaterThanOrEqual(250);
  });
});

describeDatabases('custom headers', [webhooksMigrations], (test) => {
  test('do not go to another origin than they were given for', async ({ db }) => {
    await using first = await openSink();
    await using second = await openSink();
    const { webhooks, endpoints, tenantId, work } = openWebhooks(db);
    const headers = { 'X-Key': 'canary' };
    const { endpoint } = await endpoints.create({ url: `${first.url}/a`, headers });
    await endpoints.update(endpoint.id, { url: `${first.url}/b` });
    await webhooks.publish(projectCreated, { tenantId, data: { id: 'same' } });
    await work();
    expect(first.received[0]?.headers).toMatchObject({ 'x-key': 'canary' });
    await endpoints.update(endpoint.id, { url: second.url });
    await webhooks.publish(projectCreated, { tenantId, data: { id: 'other' } });
    await work();
    expect(second.received[0]?.headers).not.toHaveProperty('x-key');
    await endpoints.update(endpoint.id, { url: first.url, headers });
    await webhooks.publish(projectCreated, { tenantId, data: { id: 'again' } });
    await work();
    expect(first.received[1]?.headers).toMatchObject({ 'x-key': 'canary' });
  });
});
