import { connect, migrate } from '@svc/db';
import type { PostgresServer } from '@svc/db/testing';
import { createIdempotency, fingerprintOf } from '@svc/idempotency';
import { idempotent } from '@svc/idempotency/hono';
import { idempotencyMigrations } from '@svc/idempotency/migrations';
import { postgresStore } from '@svc/idempotency/postgres';
import { Hono } from 'hono';
import { CompiledQuery } from 'kysely';
import { type Benchmark, type Prepared, WrongAnswer } from '../benchmark.ts';
import { keepInFlight } from '../load.ts';

const keys = 1000;
const body = JSON.stringify({ id: 'x'.repeat(150) });

/** How many repeats a process answers from PostgreSQL. */
export const idempotencyReplay: Benchmark = {
  name: 'idempotency-replay',
  summary: `repeats of ${keys} requests that were executed, 64 in flight, answers of ${body.length} bytes in PostgreSQL`,
  reference: 'bare query',
  goals: [{ variant: 'replay', figure: 'rate', atLeast: 15_000 }],
  prepare,
};

async function prepare(server: PostgresServer): Promise<Prepared> {
  await using owner = await connect(server.ownerUrl);
  await migrate(owner.db, [idempotencyMigrations], { appRole: new URL(server.url).username });
  const { db, close } = await connect(server.url);
  const idempotency = createIdempotency({ store: postgresStore(db) });
  const app = new Hono().post('/orders', idempotent(idempotency, { caller: () => 'ada' }), (c) =>
    c.body(body, 201, { 'Content-Type': 'application/json' }),
  );
  const send = (number: number) =>
    app.request('/orders', {
      method: 'POST',
      body: 'order',
      headers: { 'Idempotency-Key': `key-${number % keys}` },
    });
  for (let number = 0; number < keys; number += 1) await send(number);

  const scope = { caller: 'ada', method: 'POST', route: '/orders' };
  const content = { body: new TextEncoder().encode('order') };
  const never = async (): Promise<never> => {
    throw new WrongAnswer('a repeat was executed');
  };
  const replay = async (number: number) => {
    const fingerprint = fingerprintOf('bytes', content);
    const key = `key-${number % keys}`;
    const { answer, replayed } = await idempotency.run({ scope, key, fingerprint }, never);
    if (!replayed || answer.body.byteLength !== body.length)
      throw new WrongAnswer('not the answer');
  };
  const replayOverHono = async (number: number) => {
    const answer = await send(number);
    if (answer.headers.get('Idempotency-Replayed') !== 'true' || (await answer.text()) !== body)
      throw new WrongAnswer('not the answer');
  };
  const { rows } = await db.executeQuery<{ key: string }>(
    CompiledQuery.raw('select key from svc_idempotency.keys'),
  );
  const bare = async (number: number) => {
    const found = await db.executeQuery(
      CompiledQuery.raw('select * from svc_idempotency.keys where key = $1', [
        rows[number % rows.length]?.key,
      ]),
    );
    if (found.rows.length !== 1) throw new WrongAnswer('no row');
  };
  const load = (operation: (number: number) => Promise<void>) => (durationMs: number) =>
    keepInFlight({ inFlight: 64, durationMs }, operation);
  return {
    variants: [
      { name: 'bare query', run: load(bare) },
      { name: 'replay', run: load(replay) },
      { name: 'replay through Hono', run: load(replayOverHono) },
    ],
    [Symbol.asyncDispose]: close,
  };
}
