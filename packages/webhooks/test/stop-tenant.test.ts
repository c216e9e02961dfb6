import { uuidv7 } from '@svc/core';
import { transact } from '@svc/db';
import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { webhooksMigrations } from '../src/migrations.ts';
import { actor, openSink, openWebhooks, projectCreated } from './open-webhooks.ts';

describeDatabases('deliveries', [webhooksMigrations], (test) => {
  test('a tenant that is stopped is sent nothing more, in the transaction in which it goes; others are', async ({
    db,
  }) => {
    await using sink = await openSink();
    const { webhooks, endpoints, deliveries, tenantId, work } = openWebhooks(db);
    const { endpoint } = await endpoints.create({ url: sink.url });
    const off = await endpoints.create({ url: sink.url });
    await webhooks.publish(projectCreated, { tenantId, data: { id: 'held' } });
    await endpoints.update(off.endpoint.id, { isEnabled: false });
    const other = uuidv7();
    await webhooks.forTenant(other, { actor }).endpoints.create({ url: sink.url });
    await webhooks.publish(projectCreated, { tenantId: other, data: { id: 'theirs' } });
    const undone = transact(db, async (within) => {
      await webhooks.stopTenant(tenantId, { within });
      throw new Error('taken back');
    });
    await expect(undone).rejects.toThrow('taken back');
    expect((await endpoints.get(endpoint.id)).status).toBe('enabled');
    await webhooks.stopTenant(tenantId);
    await work();
    expect(sink.received.map(({ body }) => JSON.parse(body).data.id)).toEqual(['theirs']);
    for (const { id } of [endpoint, off.endpoint]) {
      expect((await endpoints.get(id)).status).toBe('disabled');
      const listed = await deliveries.list({ endpointId: id });
      expect(listed.map(({ status }) => status)).toEqual(['cancelled']);
    }
  });
});
