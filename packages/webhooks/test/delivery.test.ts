import { uuidv7 } from '@svc/core';
import { transact } from '@svc/db';
import { describeDatabases } from '@svc/db/testing';
import { Webhook } from 'standardwebhooks';
import { expect } from 'vitest';
import { verifyWebhook } from '../src/index.ts';
import { webhooksMigrations } from '../src/migrations.ts';
import { codeOf, openSink, openWebhooks, projectCreated, type Reply } from './open-webhooks.ts';

describeDatabases('deliveries', [webhooksMigrations], (test) => {
  test('an event published in a transaction arrives, signed, once it has committed', async ({
    db,
  }) => {
    await using sink = await openSink();
    const { webhooks, endpoints, deliveries, tenantId, work, clock } = openWebhooks(db);
    const { secret } = await endpoints.create({
      url: `${sink.url}/hook`,
      eventTypes: ['project.*'],
    });
    const published = await transact(db, async (trx) => {
      const result = await webhooks.publish(
        projectCreated,
        { tenantId, data: { id: 'p1' } },
        { within: trx },
      );
      expect(await work()).toBe(0);
      return result;
    });
    expect(published.deliveries).toBe(1);
    await work();
    expect(sink.received).toHaveLength(1);
    const [got] = sink.received;
    expect(got?.path).toBe('/hook');
    expect(got?.body).toBe(
      '{"data":{"id":"p1"},"timestamp":"2026-01-01T00:00:00.000Z","type":"project.created","version":1}',
    );
    const headers = got?.headers as Record<string, string>;
    expect(headers['webhook-id']).toBe(published.id);
    expect(verifyWebhook({ headers, body: got?.body ?? '' }, [secret], { clock }).id).toBe(
      published.id,
    );
    // The published library checks against the time of day, which is not that of the test.
    const signedNow = new Webhook(secret).sign(published.id, clock.now(), got?.body ?? '');
    expect(headers['webhook-signature']).toBe(signedNow);
    const [one] = await deliveries.list();
    expect(one).toMatchObject({ status: 'delivered', attempts: 1, eventId: published.id });
    const { tries } = await deliveries.get(one?.id ?? '');
    expect(tries).toMatchObject([{ number: 1, outcome: 'succeeded', status: 200, response: 'ok' }]);
  });

  test('nothing of an event is left when its transaction rolls back', async ({ db }) => {
    await using sink = await openSink();
    const { webhooks, endpoints, deliveries, tenantId, jobs } = openWebhooks(db);
    await endpoints.create({ url: sink.url });
    const failing = transact(db, async (trx) => {
      await webhooks.publish(projectCreated, { tenantId, data: { id: 'p1' } }, { within: trx });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(jobs).toEqual([]);
    expect(await deliveries.list()).toEqual([]);
  });

  test('only endpoints of the tenant that listen are told', async ({ db }) => {
    await using sink = await openSink();
    const mine = openWebhooks(db);
    const foreign = openWebhooks(db);
    await foreign.endpoints.create({ url: `${sink.url}/foreign` });
    for (const [path, eventTypes] of [
      ['all', ['*']],
      ['below', ['project.*']],
      ['exact', ['project.created']],
      ['other', ['project.member.*']],
    ] as const)
      await mine.endpoints.create({ url: `${sink.url}/${path}`, eventTypes });
    const off = await mine.endpoints.create({ url: `${sink.url}/off` });
    await mine.endpoints.update(off.endpoint.id, { isEnabled: false });
    await mine.webhooks.publish(projectCreated, { tenantId: mine.tenantId, data: { id: '1' } });
    await mine.work();
    expect(sink.received.map(({ path }) => path).toSorted()).toEqual(['/all', '/below', '/exact']);
    const [one] = await mine.deliveries.list();
    expect(await codeOf(foreign.deliveries.get(one?.id ?? ''))).toBe('webhooks.delivery_not_found');
    expect(await codeOf(foreign.deliveries.replay(one?.id ?? ''))).toBe(
      'webhooks.delivery_not_found',
    );
    for (const act of ['get', 'remove', 'rotateSecret', 'test'] as const)
      expect(await codeOf(foreign.endpoints[act](off.endpoint.id))).toBe(
        'webhooks.endpoint_not_found',
      );
  });

  test('tries follow the schedule until the first success, under one id, and the log has each', async ({
    db,
  }) => {
    const replies: Reply[] = [{ status: 500, body: 'broken' }, { status: 400 }, { status: 201 }];
    await using sink = await openSink(() => replies.shift());
    const { webhooks, endpoints, deliveries, tenantId, work, workNext, clock, jobs } =
      openWebhooks(db);
    await endpoints.create({ url: sink.url });
    await webhooks.publish(projectCreated, { tenantId, data: { id: '1' } });
    const times: number[] = [];
    await work();
    for (let count = 1; count < 3; count += 1) {
      times.push(clock.now().getTime());
      await workNext();
    }
    times.push(clock.now().getTime());
    expect([times[1]! - times[0]!, times[2]! - times[1]!]).toEqual([5000, 300_000]);
    expect(sink.received.map(({ headers }) => headers['webhook-id'])).toEqual(
      Array.from({ length: 3 }, () => sink.received[0]?.headers['webhook-id']),
    );
    expect(new Set(sink.received.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(3);
    expect(jobs).toEqual([]);
    const [one] = await deliveries.list({ status: 'delivered' });
    const { tries } = await deliveries.get(one?.id ?? '');
    expect(tries.map(({ outcome, status }) => [outcome, status])).toEqual([
      ['failed', 500],
      ['failed', 400],
      ['succeeded', 201],
    ]);
    expect(tries[0]?.response).toBe('broken');
  });

  test('after ten tries over 75 hours it is given up, and can be replayed under its id', async ({
    db,
  }) => {
    let status = 500;
    await using sink = await openSink(() => ({ status }));
    const { webhooks, endpoints, deliveries, tenantId, work, workNext, clock, jobs } =
      openWebhooks(db);
    await endpoints.create({ url: sink.url });
    const { id } = await webhooks.publish(projectCreated, { tenantId, data: { id: '1' } });
    const startedAt = clock.now().getTime();
    await work();
    while (jobs.length > 0) await workNext();
    expect(sink.received).toHaveLength(10);
    expect((clock.now().getTime() - startedAt) / 3_600_000).toBeCloseTo(75.58, 1);
    const [failed] = await deliveries.list();
    expect(failed?.status).toBe('failed');
    status = 200;
    await deliveries.replay(failed?.id ?? '');
    await work();
    expect(sink.received.at(-1)?.headers['webhook-id']).toBe(id);
    expect(await deliveries.get(failed?.id ?? '')).toMatchObject({
      status: 'delivered',
      attempts: 11,
    });
  });

  test('a redirect is not followed, and is no success', async ({ db }) => {
    await using target = await openSink();
    await using sink = await openSink(() => ({ status: 307, headers: { location: target.url } }));
    const { webhooks, endpoints, deliveries, tenantId, work } = openWebhooks(db);
    await endpoints.create({ url: sink.url });
    await webhooks.publish(projectCreated, { tenantId, data: { id: '1' } });
    await work();
    expect([sink.received.length, target.received.length]).toEqual([1, 0]);
    const [one] = await deliveries.list();
    expect(one?.status).toBe('pending');
    expect((await deliveries.get(one?.id ?? '')).tries).toMatchObject([
      { outcome: 'failed', status: 307 },
    ]);
  });

  test('Retry-After is waited for, up to a day', async ({ db }) => {
    const asked = ['7200', '9999999999'];
    await using sink = await openSink(() => ({
      status: 503,
      headers: { 'retry-after': asked.shift() ?? '0' },
    }));
    const { webhooks, endpoints, tenantId, work, workNext, clock, jobs } = openWebhooks(db);
    await endpoints.create({ url: sink.url });
    await webhooks.publish(projectCreated, { tenantId, data: { id: '1' } });
    await work();
    const wait = () => (jobs[0]?.runAt?.getTime() ?? 0) - clock.now().getTime();
    expect(wait()).toBe(7_200_000);
    await workNext();
    expect(wait()).toBe(86_400_000);
  });

  test('410 disables the endpoint and holds what waits, which is sent once it is enabled', async ({
    db,
  }) => {
    let status = 410;
    await using sink = await openSink(() => ({ status }));
    const { webhooks, endpoints, deliveries, tenantId, work, workNext, notices, jobs } =
      openWebhooks(db);
    const { endpoint } = await endpoints.create({ url: sink.url });
    for (const id of ['1', '2', '3'])
      await webhooks.publish(projectCreated, { tenantId, data: { id } });
    await work();
    expect(sink.received).toHaveLength(1);
    expect((await endpoints.get(endpoint.id)).status).toBe('gone');
    expect(notices).toMatchObject([{ type: 'gone', endpointId: endpoint.id }]);
    expect((await deliveries.list()).map((each) => each.status).toSorted()).toEqual([
      'failed',
      'held',
      'held',
    ]);
    status = 200;
    await endpoints.update(endpoint.id, { isEnabled: true });
    while (jobs.length > 0) await workNext();
    expect(sink.received).toHaveLength(3);
  });

  test('the log keeps 16 kB of an answer, and nothing secret of it', async ({ db }) => {
    const echoed = 'Bearer abcdefghijkl';
    await using sink = await openSink(({ headers }) => ({
      status: 500,
      body: `${JSON.stringify(headers)} password=hunter2 \0${'x'.repeat(40_000)}`,
    }));
    const { webhooks, endpoints, deliveries, tenantId, work } = openWebhooks(db);
    await endpoints.create({
      url: sink.url,
      headers: { 'X-Shop': 'very-secret-value', Authorization: echoed },
    });
    await webhooks.publish(projectCreated, { tenantId, data: { id: '1' } });
    await work();
    expect(sink.received[0]?.headers['x-shop']).toBe('very-secret-value');
    const [one] = await deliveries.list();
    const { tries } = await deliveries.get(one?.id ?? '');
    const kept = tries[0]?.response ?? '';
    expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(16 * 1024);
    expect(kept.length).toBeGreaterThan(10_000);
    const signature = String(sink.received[0]?.headers['webhook-signature']).slice(3);
    for (const secret of ['very-secret-value', 'abcdefghijkl', 'hunter2', signature, '\0'])
      expect(kept).not.toContain(secret);
  });

  test('a receiver that hangs is given up after the timeout, and only its endpoint is left alone', async ({
    db,
  }) => {
    let answer: () => void = () => {};
    const hanging = new Promise<void>((resolve) => (answer = resolve));
    await using sink = await openSink(({ path }) =>
      path === '/hangs' ? { after: hanging } : undefined,
    );
    const { webhooks, endpoints, deliveries, tenantId, work, clock, jobs } = openWebhooks(db);
    const { endpoint } = await endpoints.create({ url: `${sink.url}/hangs` });
    await endpoints.create({ url: `${sink.url}/answers` });
    await webhooks.publish(projectCreated, { tenantId, data: { id: '1' } });
    const working = work();
    while (!sink.received.some(({ path }) => path === '/hangs')) await sink.next();
    await clock.advance('15s');
    await working;
    await webhooks.publish(projectCreated, { tenantId, data: { id: '2' } });
    await work();
    expect(sink.received.filter(({ path }) => path === '/answers')).toHaveLength(2);
    expect(sink.received.filter(({ path }) => path === '/hangs')).toHaveLength(1);
    const [second, first] = await deliveries.list({ endpointId: endpoint.id });
    expect((await deliveries.get(first?.id ?? '')).tries).toMatchObject([
      { error: 'timeout', status: null },
    ]);
    expect(second).toMatchObject({ status: 'pending', attempts: 0 });
    expect(jobs).toHaveLength(2);
    answer();
  });

  test('an endpoint with a rate gets no more than that a minute, and all in the end', async ({
    db,
  }) => {
    await using sink = await openSink();
    const { webhooks, endpoints, tenantId, work, workNext, clock, jobs } = openWebhooks(db);
    await endpoints.create({ url: sink.url, ratePerMinute: 6 });
    for (let count = 0; count < 8; count += 1)
      await webhooks.publish(projectCreated, { tenantId, data: { id: String(count) } });
    const startedAt = clock.now().getTime();
    await work();
    const moments: number[] = [];
    moments.push(...Array.from({ length: sink.received.length }, () => 0));
    while (jobs.length > 0) {
      const before = sink.received.length;
      await workNext();
      const at = clock.now().getTime() - startedAt;
      moments.push(...Array.from({ length: sink.received.length - before }, () => at));
    }
    expect(moments).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 70_000]);
  });

  test('an ordered endpoint gets the next of a key only after the one before, other keys at once', async ({
    db,
  }) => {
    let isBroken = true;
    await using sink = await openSink(({ body }) => ({
      status: body.includes('"a1"') && isBroken ? 500 : 200,
    }));
    const { webhooks, endpoints, tenantId, work, workNext, jobs } = openWebhooks(db);
    await endpoints.create({ url: sink.url, isOrdered: true });
    for (const id of ['a1', 'b1', 'a2', 'a3', 'b2'])
      await webhooks.publish(projectCreated, { tenantId, data: { id }, orderKey: id.slice(0, 1) });
    const ids = () =>
      sink.received.map(({ body }) => (JSON.parse(body) as { data: { id: string } }).data.id);
    await work();
    expect(ids()).toEqual(['a1', 'b1', 'b2']);
    isBroken = false;
    while (jobs.length > 0) await workNext();
    expect(ids()).toEqual(['a1', 'b1', 'b2', 'a1', 'a2', 'a3']);
  });

  test('deleting an endpoint while it is sent to cancels what waits and disturbs nobody', async ({
    db,
  }) => {
    let answer: () => void = () => {};
    const waits = new Promise<void>((resolve) => (answer = resolve));
    await using sink = await openSink(() => ({ after: waits }));
    const { webhooks, endpoints, deliveries, tenantId, work, jobs } = openWebhooks(db);
    const { endpoint } = await endpoints.create({ url: sink.url });
    for (const id of ['1', '2']) await webhooks.publish(projectCreated, { tenantId, data: { id } });
    const arrived = sink.next();
    const working = work();
    await arrived;
    await endpoints.remove(endpoint.id);
    answer();
    await working;
    expect(sink.received).toHaveLength(1);
    expect(jobs).toEqual([]);
    const states = await deliveries.list({ endpointId: endpoint.id });
    expect(states.map(({ status }) => status)).toEqual(['cancelled', 'delivered']);
  });

  test('a replay of a filter sends what it finds, ten a second, and nothing else', async ({
    db,
  }) => {
    await using sink = await openSink();
    const { webhooks, endpoints, deliveries, tenantId, work, workNext, clock, jobs, audited } =
      openWebhooks(db);
    await endpoints.create({ url: sink.url });
    await webhooks.publish(projectCreated, { tenantId, data: { id: 'old' } });
    await work();
    await clock.advance('1h');
    const since = clock.now();
    for (let count = 0; count < 12; count += 1)
      await webhooks.publish(projectCreated, { tenantId, data: { id: `n${count}` } });
    await work();
    const until = new Date(since.getTime() + 1);
    expect(await deliveries.replayAll({ since, until })).toEqual({ replayed: 12, hasMore: false });
    await work();
    expect(sink.received).toHaveLength(14);
    const startedAt = clock.now().getTime();
    while (jobs.length > 0) await workNext();
    expect(clock.now().getTime() - startedAt).toBe(1100);
    expect(sink.received).toHaveLength(25);
    expect(audited.at(-1)).toMatchObject({
      type: 'webhooks.deliveries.replayed',
      details: { count: 12 },
    });
    expect(await deliveries.stats()).toMatchObject({
      deliveries: { delivered: 13, failed: 0 },
      attempts: { succeeded: 25 },
    });
  });

  test('a job that comes twice sends once', async ({ db }) => {
    await using sink = await openSink();
    const { webhooks, endpoints, tenantId, jobs, work } = openWebhooks(db);
    await endpoints.create({ url: sink.url });
    await webhooks.publish(projectCreated, { tenantId, data: { id: '1' } });
    jobs.push(...jobs.slice());
    const due = jobs.splice(0);
    await Promise.all(due.map(({ payload }) => webhooks.deliver(payload)));
    await work();
    expect(sink.received).toHaveLength(1);
    expect(await webhooks.deliver({ tenantId, deliveryId: uuidv7(), turn: 1 })).toBe('stale');
  });

  test('a purge deletes what is over and old with its log, and nothing that is under way', async ({
    db,
  }) => {
    let status = 200;
    await using sink = await openSink(() => ({ status }));
    const { webhooks, endpoints, deliveries, tenantId, work, clock } = openWebhooks(db);
    await endpoints.create({ url: sink.url });
    await webhooks.publish(projectCreated, { tenantId, data: { id: 'over' } });
    await work();
    status = 500;
    await webhooks.publish(projectCreated, { tenantId, data: { id: 'waits' } });
    await work();
    await clock.advance('31d');
    await webhooks.publish(projectCreated, { tenantId, data: { id: 'new' } });
    await webhooks.purge();
    const left = await deliveries.list();
    expect(left).toHaveLength(2);
    const bodies = await Promise.all(left.map(({ id }) => deliveries.get(id)));
    expect(bodies.map(({ body }) => body.includes('waits') || body.includes('new'))).toEqual([
      true,
      true,
    ]);
  });
});
