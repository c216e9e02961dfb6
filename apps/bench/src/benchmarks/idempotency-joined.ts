import { systemClock, uuidv7 } from '@svc/core';
import { connect, type Db, migrate, transact, type Trx } from '@svc/db';
import type { PostgresServer } from '@svc/db/testing';
import { createIdempotency } from '@svc/idempotency';
import { type IdempotencyEnv, idempotent } from '@svc/idempotency/hono';
import { idempotencyMigrations } from '@svc/idempotency/migrations';
import { postgresStore } from '@svc/idempotency/postgres';
import { Hono } from 'hono';
import { sql } from 'kysely';
import { type Benchmark, type Prepared, WrongAnswer } from '../benchmark.ts';
import { oneAfterTheOther } from '../load.ts';

const without = 'without a key';
const added = 'what the key adds';

/** What a key costs a request that has a transaction anyway. */
export const idempotencyJoined: Benchmark = {
  name: 'idempotency-joined',
  summary:
    'a POST through Hono that inserts a row in a transaction, without and with a key in it, by turns, one after the other',
  reference: without,
  goals: [{ variant: added, figure: 'p50Ms', atMost: 0.3 }],
  durable: true,
  prepare,
};

const orders = {
  schema: 'orders',
  steps: [
    {
      name: '001',
      up: ['create table orders.orders (id uuid primary key, body text not null)'],
      down: [],
    },
  ],
};

async function prepare(server: PostgresServer): Promise<Prepared> {
  await using owner = await connect(server.ownerUrl);
  await migrate(owner.db, [idempotencyMigrations, orders], {
    appRole: new URL(server.url).username,
  });
  const { db, close } = await connect(server.url);
  const insert = (trx: Db, body: string) =>
    sql`insert into orders.orders (id, body) values (${uuidv7()}, ${body})`.execute(trx);
  const idempotency = createIdempotency({ store: postgresStore(db) });
  const app = new Hono<IdempotencyEnv>()
    .post('/bare', async (c) => {
      const body = await c.req.text();
      await transact(db, (trx) => insert(trx, body));
      return c.json({ ok: true }, 201);
    })
    .post(
      '/keyed',
      idempotent(idempotency, { caller: () => 'ada', transact: (_, fn) => transact(db, fn) }),
      async (c) => {
        await insert(c.get('idempotencyTrx') as Trx, await c.req.text());
        return c.json({ ok: true }, 201);
      },
    );
  const timed = async (path: string, headers: Record<string, string>) => {
    const startedAt = systemClock.elapsedMs();
    const answer = await app.request(path, { method: 'POST', body: '{"name":"x"}', headers });
    if (answer.status !== 201) throw new WrongAnswer(`${path} answered ${answer.status}`);
    return systemClock.elapsedMs() - startedAt;
  };
  const bare = () => timed('/bare', {});
  const keyed = () => timed('/keyed', { 'Idempotency-Key': uuidv7() });
  return {
    variants: [
      { name: without, run: (durationMs) => oneAfterTheOther(durationMs, bare) },
      { name: 'with a key', run: (durationMs) => oneAfterTheOther(durationMs, keyed) },
      {
        // Of neighbours, so that what the disk does at that moment meets both.
        name: added,
        run: (durationMs) =>
          oneAfterTheOther(durationMs, async () => -(await bare()) + (await keyed())),
      },
    ],
    [Symbol.asyncDispose]: close,
  };
}
