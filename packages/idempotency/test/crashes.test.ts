import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@svc/core';
import { transact } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { describe, expect } from 'vitest';
import { createIdempotency } from '../src/index.ts';
import { idempotencyMigrations } from '../src/migrations.ts';
import { postgresStore } from '../src/stores/postgres.ts';
import { countOrders, orderMigrations, writeOrder } from './orders.ts';

const test = databaseTest([idempotencyMigrations, orderMigrations]);
const program = fileURLToPath(new URL('./programs/order-once.ts', import.meta.url));
const lease = '1500ms';

async function killedAt(url: string, mode: string, point: string, key: string): Promise<void> {
  const parameters = [url, mode, point, key, lease];
  const child = spawn(process.execPath, ['--conditions=@svc/source', program, ...parameters]);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const { value } = await lines.next();
  if (value === undefined) throw new Error(`the program ended: ${stderr}`);
  child.kill('SIGKILL');
  await once(child, 'close');
}

const request = (key: string) => ({
  scope: { caller: 'ada', method: 'POST', route: '/orders' },
  key,
  fingerprint: 'f',
});

describe('a process that is killed', () => {
  for (const point of ['claimed', 'written', 'finished'])
    test(`when it has ${point}, in a transaction: a retry finds nothing or the answer, and the order is there once`, async ({
      db,
      database,
    }) => {
      const key = `joined-${point}`;
      await killedAt(database.urls?.url ?? '', 'joined', point, key);
      const killedAtMs = systemClock.elapsedMs();
      expect(await countOrders(db, key)).toEqual(point === 'finished' ? [1, 1] : [0, 0]);
      const idempotency = createIdempotency({ store: postgresStore(db), lease });
      const retry = await idempotency.run(
        request(key),
        async ({ within }) => {
          await writeOrder(within ?? db, key);
          return { status: 201, headers: [], body: new TextEncoder().encode('ordered') };
        },
        { transact: (fn) => transact(db, fn) },
      );
      // Its session went with it, and with that the key: no lease to wait for.
      expect(systemClock.elapsedMs() - killedAtMs).toBeLessThan(1500);
      expect(retry.replayed).toBe(point === 'finished');
      expect(Buffer.from(retry.answer.body).toString()).toBe('ordered');
      expect(await countOrders(db, key)).toEqual([1, 1]);
    });

  test('before it wrote, without a transaction: the key is free when the lease ends, and the order is there once', async ({
    db,
    database,
  }) => {
    await killedAt(database.urls?.url ?? '', 'alone', 'claimed', 'alone');
    const killedAtMs = systemClock.elapsedMs();
    const idempotency = createIdempotency({ store: postgresStore(db), lease });
    const retry = await idempotency.run(request('alone'), async () => {
      await writeOrder(db, 'alone');
      return { status: 201, headers: [], body: new Uint8Array(0) };
    });
    expect(retry.replayed).toBe(false);
    expect(systemClock.elapsedMs() - killedAtMs).toBeLessThan(2500);
    expect(await countOrders(db, 'alone')).toEqual([1, 1]);
  });
});
