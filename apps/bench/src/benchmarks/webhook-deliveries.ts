import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCipher, systemClock } from '@svc/core';
import { connect, migrate } from '@svc/db';
import type { PostgresServer } from '@svc/db/testing';
import { createGuardedFetch } from '@svc/http';
import { createJobs, createWorker, defineTask } from '@svc/jobs';
import { jobsMigrations } from '@svc/jobs/migrations';
import { postgresStore } from '@svc/jobs/postgres';
import { createWebhooks, defineEventType, deliverTask } from '@svc/webhooks';
import { webhooksMigrations } from '@svc/webhooks/migrations';
import { sql } from 'kysely';
import * as v from 'valibot';
import { type Benchmark, type Prepared, WrongAnswer } from '../benchmark.ts';
import { amount } from '../jobs/queue.ts';
import { oneAfterTheOther } from '../load.ts';

const endpoints = 1000;
const rounds = 2;
const hangingPath = '/hangs';

/** What an event to many endpoints costs who publishes it, and how fast it goes out. */
export const webhookDeliveries: Benchmark = {
  name: 'webhook-deliveries',
  summary: `an event committed for ${endpoints} endpoints; ${endpoints * rounds} deliveries from outbox row to attempt row in one process, and all others while one endpoint hangs`,
  reference: 'deliver',
  goals: [
    { variant: 'commit', figure: 'p50Ms', atMost: 30 },
    { variant: 'deliver', figure: 'rate', atLeast: 5000 },
    { variant: 'deliver, one hangs', figure: 'rate', dividedBy: 'deliver', atLeast: 0.95 },
  ],
  prepare,
};

async function prepare(server: PostgresServer): Promise<Prepared> {
  const { db, close } = await connect(server.ownerUrl, { poolSize: 16 });
  await migrate(db, [jobsMigrations, webhooksMigrations]);
  const sink = createServer((request, response) => {
    request.resume();
    if (request.url !== hangingPath) response.end('ok');
  });
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
  const guarded = createGuardedFetch({ allow: [origin] });
  const task = defineTask({
    name: deliverTask,
    payload: v.object({ tenantId: v.string(), deliveryId: v.string(), turn: v.number() }),
    run: (payload, context) => webhooks.deliver(payload, context),
    keepDone: false,
  });
  const jobs = createJobs({ store: postgresStore(db), tasks: [task] });
  const created = defineEventType({ type: 'thing.created', payload: v.object({ n: v.number() }) });
  const webhooks = createWebhooks({
    db,
    cipher: createCipher({ keys: [{ id: 'bench', secret: 'x'.repeat(40) }] }),
    events: [created],
    fetch: guarded.fetch,
    allowHttp: true,
    enqueue: (name, payload, options) => jobs.enqueue(name, payload, options),
    enqueueMany: (name, items, options) => jobs.enqueueMany(name, items, options),
  });
  const actor = { type: 'system', id: null } as const;
  for (const tenantId of ['prompt', 'mixed'])
    for (let at = 0; at < endpoints; at += 1) {
      const path = tenantId === 'mixed' && at === 0 ? hangingPath : `/${at}`;
      const { endpoints: own } = webhooks.forTenant(tenantId, { actor });
      await own.create({ url: `${origin}${path}` });
    }
  const clear = () =>
    sql`truncate svc_jobs.ready, svc_jobs.scheduled, svc_jobs.leases, svc_jobs.settled,
      svc_webhooks.attempts, svc_webhooks.deliveries, svc_webhooks.events`.execute(db);
  const publish = async (tenantId: string, n: number) => {
    const { deliveries } = await webhooks.publish(created, { tenantId, data: { n } });
    if (deliveries !== endpoints) throw new WrongAnswer(`${deliveries} deliveries`);
  };
  const delivered = async () => {
    const { rows } = await sql<{ count: number }>`
      select count(*)::int as count from svc_webhooks.deliveries where status = 'delivered'`.execute(
      db,
    );
    return rows[0]?.count ?? 0;
  };
  const deliver = (tenantId: string, expected: number) => async () => {
    await clear();
    for (let n = 0; n < rounds; n += 1) await publish(tenantId, n);
    const startedAt = systemClock.elapsedMs();
    const worker = createWorker({ jobs, concurrency: 64 });
    worker.start();
    while ((await delivered()) < expected) await systemClock.sleep(20);
    const elapsedMs = systemClock.elapsedMs() - startedAt;
    await worker.stop({ graceMs: 0 });
    return amount(expected, elapsedMs);
  };
  return {
    variants: [
      {
        name: 'commit',
        run: async (durationMs) => {
          await clear();
          return oneAfterTheOther(durationMs, async () => {
            const began = systemClock.elapsedMs();
            await publish('prompt', 1);
            return systemClock.elapsedMs() - began;
          });
        },
      },
      { name: 'deliver', run: deliver('prompt', endpoints * rounds) },
      { name: 'deliver, one hangs', run: deliver('mixed', (endpoints - 1) * rounds) },
    ],
    async [Symbol.asyncDispose]() {
      guarded.stop();
      sink.close();
      sink.closeAllConnections();
      await close();
    },
  };
}
