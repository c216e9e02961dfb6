import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@svc/core';
import { databaseTest } from '@svc/db/testing';
import { expect } from 'vitest';
import { webhooksMigrations } from '../src/migrations.ts';
import { openSink, openWebhooks, projectCreated } from './open-webhooks.ts';

const test = databaseTest([webhooksMigrations]);
const program = fileURLToPath(new URL('./programs/deliver-once.ts', import.meta.url));

test('a worker killed between sending and writing it down: it is sent again under the same id, and the log says so', async ({
  db,
  database,
}) => {
  await using sink = await openSink();
  const opened = openWebhooks(db, { clock: systemClock });
  const { webhooks, endpoints, deliveries, tenantId, jobs } = opened;
  await endpoints.create({ url: sink.url });
  const { id } = await webhooks.publish(projectCreated, { tenantId, data: { id: '1' } });
  const [job] = jobs.splice(0);
  if (job === undefined) throw new Error('nothing was queued');
  const parameters = [database.urls?.url ?? '', tenantId, job.payload.deliveryId, '1s'];
  const child = spawn(process.execPath, ['--conditions=@svc/source', program, ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'close');
  expect((await deliveries.get(job.payload.deliveryId)).tries).toMatchObject([
    { outcome: 'sending' },
  ]);
  // What a queue does with the job of a worker that is gone: it runs it again.
  const results: string[] = [await webhooks.deliver(job.payload)];
  while (jobs.length > 0) {
    const next = jobs.splice(0)[0];
    if (next === undefined) break;
    await systemClock.sleep((next.runAt?.getTime() ?? 0) - systemClock.now().getTime());
    results.push(await webhooks.deliver(next.payload));
  }
  expect(results.at(-1)).toBe('delivered');
  expect(sink.received.map(({ headers }) => headers['webhook-id'])).toEqual([id, id]);
  const { tries, status } = await deliveries.get(job.payload.deliveryId);
  expect(tries.map(({ outcome }) => outcome)).toEqual(['lost', 'succeeded']);
  expect(status).toBe('delivered');
});

test('a worker that must stop gives the delivery back at once, and the try counts for nothing', async ({
  db,
}) => {
  let answer: () => void = () => {};
  const waits = new Promise<void>((resolve) => (answer = resolve));
  await using sink = await openSink(() => ({ after: waits }));
  const { webhooks, endpoints, deliveries, tenantId, jobs, work } = openWebhooks(db);
  await endpoints.create({ url: sink.url });
  await webhooks.publish(projectCreated, { tenantId, data: { id: '1' } });
  const [job] = jobs.splice(0);
  if (job === undefined) throw new Error('nothing was queued');
  const stop = new AbortController();
  const arrived = sink.next();
  const delivering = webhooks.deliver(job.payload, { signal: stop.signal });
  await arrived;
  stop.abort(new Error('the worker stops'));
  await expect(delivering).rejects.toThrow('the worker stops');
  answer();
  jobs.push(job);
  await work();
  const { tries, status } = await deliveries.get(job.payload.deliveryId);
  expect(tries.map(({ outcome }) => outcome)).toEqual(['lost', 'succeeded']);
  expect(status).toBe('delivered');
});
