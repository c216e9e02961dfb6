import { testClock } from '@svc/core/testing';
import { transact, type Trx } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { type IdempotencyEnv, idempotent } from '../src/hono.ts';
import { createIdempotency } from '../src/index.ts';
import { idempotencyMigrations } from '../src/migrations.ts';
import { postgresStore } from '../src/stores/postgres.ts';
import { countOrders, orderMigrations, writeOrder } from './orders.ts';

const test = databaseTest([idempotencyMigrations, orderMigrations]);

function open(db: Parameters<typeof postgresStore>[0]) {
  const clock = testClock();
  let runs = 0;
  const app = new Hono<IdempotencyEnv>();
  stack(app, { clock });
  app.use(
    '*',
    idempotent(createIdempotency({ store: postgresStore(db) }), {
      caller: () => 'ada',
      transact: (_, fn) => transact(db, fn),
    }),
  );
  app.use('*', async (_, next) => {
    runs += 1;
    await next();
  });
  app.post('/orders/:key', async (c) => {
    await writeOrder(c.get('idempotencyTrx') as Trx, c.req.param('key'));
    c.header('Location', `/orders/${runs}`);
    return c.json({ run: runs }, 201);
  });
  app.post('/refused/:key', async (c) => {
    await writeOrder(c.get('idempotencyTrx') as Trx, c.req.param('key'));
    return c.json({ no: true }, 422);
  });
  app.post('/bug/:key', async (c) => {
    await writeOrder(c.get('idempotencyTrx') as Trx, c.req.param('key'));
    throw new Error('bug');
  });
  app.post('/unsound/:key', async (c) => {
    const trx = c.get('idempotencyTrx') as Trx;
    await writeOrder(trx, c.req.param('key'));
    // A handler that swallows the error of a statement: nothing of the transaction can be kept.
    await sql`select 1 / 0`.execute(trx).catch(() => {});
    return c.json({ ordered: true }, 201, { 'Set-Cookie': 'a=b' });
  });
  app.post('/slow/:key', async (c) => {
    await clock.sleep(40_000);
    await writeOrder(c.get('idempotencyTrx') as Trx, c.req.param('key'));
    return c.json({ ordered: true }, 201);
  });
  const send = (path: string) =>
    app.request(path, { method: 'POST', headers: { 'Idempotency-Key': 'k' } });
  return { clock, send, runs: () => runs };
}

test('64 at once write one order, and all get one answer', async ({ db }) => {
  const { send, runs } = open(db);
  const first = await send('/orders/storm');
  const answers = await Promise.all(Array.from({ length: 63 }, () => send('/orders/storm')));
  const texts = await Promise.all(answers.map((each) => each.text()));
  expect(new Set([await first.text(), ...texts])).toEqual(new Set(['{"run":1}']));
  expect(answers.every((each) => each.headers.get('Location') === '/orders/1')).toBe(true);
  expect([runs(), await countOrders(db, 'storm')]).toEqual([1, [1, 1]]);
});

test.for(['/refused', '/bug', '/unsound'])(
  '%s leaves nothing of what the handler wrote, and no key',
  async (path, { db }) => {
    const { send, runs } = open(db);
    for (let times = 1; times <= 2; times += 1) {
      const answer = await send(`${path}/${path.slice(1)}`);
      expect(answer.status).toBe(path === '/refused' ? 422 : 500);
      expect(answer.headers.getSetCookie()).toEqual([]);
      expect(runs()).toBe(times);
    }
    expect(await countOrders(db, path.slice(1))).toEqual([0, 0]);
  },
);

test('what the handler wrote after its time was over is rolled back, and a repeat is executed', async ({
  db,
}) => {
  const { clock, send, runs } = open(db);
  const first = send('/slow/late');
  while (clock.sleeping < 2) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance('31s');
  expect((await first).status).toBe(504);
  const second = send('/slow/late');
  await clock.advance('10s');
  while (runs() < 2) await new Promise((resolve) => setImmediate(resolve));
  expect(await countOrders(db, 'late')).toEqual([0, 0]);
  await clock.advance('29s');
  expect((await second).status).toBe(504);
  await clock.advance('15s');
});
