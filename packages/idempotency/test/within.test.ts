import { failure, systemClock } from '@svc/core';
import { afterCommit, type Db, DatabaseUnavailable, transact, type Trx } from '@svc/db';
import { databaseTest, describeDatabases } from '@svc/db/testing';
import { sql } from 'kysely';
import { describe, expect } from 'vitest';
import {
  createIdempotency,
  type ExecutedAnswer,
  type IdempotencyOptions,
  KeyReused,
  NotReplayable,
  StillRunning,
} from '../src/index.ts';
import { idempotencyMigrations } from '../src/migrations.ts';
import { postgresStore } from '../src/stores/postgres.ts';
import { countOrders, orderMigrations, writeOrder } from './orders.ts';

const migrations = [idempotencyMigrations, orderMigrations];
const answer = (status = 201): ExecutedAnswer => ({
  status,
  headers: [['location', '/orders/1']],
  body: new TextEncoder().encode('ordered'),
});
let keys = 0;

function open(db: Db, options: Partial<IdempotencyOptions> = {}) {
  const idempotency = createIdempotency({ store: postgresStore(db), ...options });
  const key = `key-${(keys += 1)}`;
  const request = {
    scope: { caller: 'grace', method: 'POST', route: '/orders' },
    key,
    fingerprint: 'f',
  };
  const around = { transact: <T>(fn: (trx: Trx) => Promise<T>) => transact(db, fn) };
  const order =
    (given = answer()) =>
    async ({ within }: { within?: Trx }) => {
      await writeOrder(within as Trx, key);
      return given;
    };
  return { idempotency, key, request, around, order, count: () => countOrders(db, key) };
}

describeDatabases('a transaction that the key is in', migrations, (test) => {
  test('commits key, order and what is told of it together', async ({ db }) => {
    const { idempotency, request, around, order, count } = open(db);
    expect(await idempotency.run(request, order(), around)).toEqual({
      answer: answer(),
      replayed: false,
    });
    expect(await idempotency.run(request, order(), around)).toEqual({
      answer: answer(),
      replayed: true,
    });
    // Who does not join reads the same keys.
    expect((await idempotency.run(request, async () => answer(500))).replayed).toBe(true);
    expect(await count()).toEqual([1, 1]);
  });

  test('of the caller takes the key with it, when it commits and when it does not', async ({
    db,
  }) => {
    const { idempotency, request, order, count } = open(db);
    const changedMind = new Error('changed my mind');
    const rolledBack = transact(db, async (within) => {
      await idempotency.run(request, order(), { within });
      throw changedMind;
    });
    await expect(rolledBack).rejects.toBe(changedMind);
    expect(await count()).toEqual([0, 0]);
    for (const replayed of [false, true]) {
      const result = await transact(db, (within) => idempotency.run(request, order(), { within }));
      expect(result.replayed).toBe(replayed);
    }
    expect(await count()).toEqual([1, 1]);
  });

  test('is rolled back by an answer that refuses, which passes', async ({ db }) => {
    const { idempotency, request, around, order, count } = open(db);
    let hooks = 0;
    const refuse = async ({ within }: { within?: Trx }) => {
      afterCommit(within as Trx, () => void (hooks += 1));
      return order(answer(422))({ within: within as Trx });
    };
    const refused = await idempotency.run(request, refuse, around);
    expect(refused).toEqual({ answer: answer(422), replayed: false });
    expect([await count(), hooks]).toEqual([[0, 0], 0]);
    expect((await idempotency.run(request, order(), around)).replayed).toBe(false);
    expect(await count()).toEqual([1, 1]);
  });

  test('keeps a refusal where refusals are kept, without what was written for it', async ({
    db,
  }) => {
    const { idempotency, request, around, order, count } = open(db, { keep: 'all_but_5xx' });
    await idempotency.run(request, order(answer(422)), around);
    expect(await idempotency.run(request, order(), around)).toEqual({
      answer: answer(422),
      replayed: true,
    });
    expect(await count()).toEqual([0, 0]);
    const other = open(db, { keep: 'all_but_5xx' });
    await other.idempotency.run(other.request, other.order(answer(500)), around);
    expect(await other.count()).toEqual([0, 0]);
    expect((await other.idempotency.run(other.request, other.order(), around)).replayed).toBe(
      false,
    );
    expect(await other.count()).toEqual([1, 1]);
  });

  test('commits what goes elsewhere (3xx) and keeps nothing of it', async ({ db }) => {
    const { idempotency, request, around, order, count } = open(db);
    for (let times = 1; times <= 2; times += 1) {
      expect((await idempotency.run(request, order(answer(303)), around)).replayed).toBe(false);
      expect(await count()).toEqual([times, times]);
    }
  });

  test('that throws leaves nothing, and the next is executed', async ({ db }) => {
    class NoStock extends failure('orders.no_stock', 'conflict', 'Sold out.') {}
    const { idempotency, key, request, around, order, count } = open(db);
    const failing = idempotency.run(
      request,
      async ({ within }) => {
        await writeOrder(within as Trx, key);
        throw new NoStock();
      },
      around,
    );
    await expect(failing).rejects.toBeInstanceOf(NoStock);
    expect(await count()).toEqual([0, 0]);
    expect((await idempotency.run(request, order(), around)).replayed).toBe(false);
  });

  test('stores no byte of a secret, and remembers that it was told', async ({ db, database }) => {
    const { idempotency, request, around, order } = open(db);
    const secret = 'sk_live_0123456789';
    const body = new TextEncoder().encode(secret);
    await idempotency.run(request, order({ ...answer(), body, withhold: 'sensitive' }), around);
    const again = idempotency.run(request, order(), around);
    await expect(again).rejects.toBeInstanceOf(NotReplayable);
    const dump = await database.asOwner(async (trx) => {
      const { rows } = await sql<{ row: string }>`
        select k::text || coalesce(convert_from(k.body, 'UTF8'), '') as row from svc_idempotency.keys k`.execute(
        trx,
      );
      return rows.map(({ row }) => row).join('\n');
    });
    expect(dump).toContain('sensitive');
    expect(dump).not.toContain(secret);
    expect(dump).not.toContain(Buffer.from(secret).toString('hex'));
    // Nor does it hold keys or callers. (No word of hexadecimal digits: hashes hold those.)
    expect(dump).not.toContain(request.key);
    expect(dump).not.toContain('grace');
  });

  test('refuses another request with the key', async ({ db }) => {
    const { idempotency, request, around, order, count } = open(db);
    await idempotency.run(request, order(), around);
    const other = { ...request, fingerprint: 'g' };
    await expect(idempotency.run(other, order(), around)).rejects.toBeInstanceOf(KeyReused);
    expect(await count()).toEqual([1, 1]);
  });
});

const test = databaseTest(migrations);

describe('64 at once', () => {
  test('are executed once and get one answer, also where the handler needs a second connection', async ({
    db,
  }) => {
    const { idempotency, key, request, around, count } = open(db);
    let runs = 0;
    const execute = async ({ within }: { within?: Trx }) => {
      runs += 1;
      await writeOrder(within as Trx, key);
      // As many wait as there are connections six times over: this one must come all the same.
      await sql`select pg_sleep(0.1)`.execute(db);
      return { ...answer(), body: new TextEncoder().encode(`run ${runs}`) };
    };
    const results = await Promise.all(
      Array.from({ length: 64 }, () => idempotency.run(request, execute, around)),
    );
    expect(runs).toBe(1);
    expect(new Set(results.map((each) => Buffer.from(each.answer.body).toString()))).toEqual(
      new Set(['run 1']),
    );
    expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await count()).toEqual([1, 1]);
  });

  test('of which some join and some do not are executed once', async ({ db }) => {
    const { idempotency, key, request, around, count } = open(db);
    let runs = 0;
    const execute = async ({ within }: { within?: Trx }) => {
      runs += 1;
      await writeOrder(within ?? db, key);
      return answer();
    };
    await Promise.all(
      Array.from({ length: 64 }, (_, at) =>
        idempotency.run(request, execute, at % 2 === 0 ? around : {}),
      ),
    );
    expect(runs).toBe(1);
    expect(await count()).toEqual([1, 1]);
  });

  test('are refused but one where they are not to wait', async ({ db }) => {
    const { idempotency, request, around, order, count } = open(db, { whileRunning: 'refuse' });
    const slow = async ({ within }: { within?: Trx }) => {
      await sql`select pg_sleep(0.2)`.execute(within as Trx);
      return order()({ within: within as Trx });
    };
    const results = await Promise.allSettled(
      Array.from({ length: 9 }, () => idempotency.run(request, slow, around)),
    );
    const reasons = results.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(reasons).toHaveLength(8);
    for (const reason of reasons) {
      expect(reason).toBeInstanceOf(StillRunning);
      expect(reason.details.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    }
    expect(await count()).toEqual([1, 1]);
  });

  test('whose transactions see one moment (repeatable read) write once all the same', async ({
    db,
  }) => {
    const { idempotency, request, order, count } = open(db);
    const around = {
      transact: <T>(fn: (trx: Trx) => Promise<T>) =>
        transact(db, fn, { isolation: 'repeatable read', retries: 20 }),
    };
    const results = await Promise.all(
      Array.from({ length: 32 }, () => idempotency.run(request, order(), around)),
    );
    expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await count()).toEqual([1, 1]);
  });
});

describe('a transaction', () => {
  test('that hangs loses its session when the lease is over, and with it the key', async ({
    db,
  }) => {
    const { idempotency, request, around, order, count } = open(db, { lease: '300ms', ttl: '1h' });
    let wake = () => {};
    const asleep = new Promise<void>((resolve) => (wake = resolve));
    const hanging = idempotency
      .run(
        request,
        async ({ within }) => {
          await order()({ within: within as Trx });
          await asleep;
          await order()({ within: within as Trx });
          return answer();
        },
        around,
      )
      .catch((error: unknown) => error);
    await systemClock.sleep(50);
    const retry = await idempotency.run(request, order(), around);
    expect(retry.replayed).toBe(false);
    wake();
    expect(await hanging).toBeInstanceOf(DatabaseUnavailable);
    expect(await count()).toEqual([1, 1]);
  });

  test('cannot finish a key that another finished while its lease was over', async ({ db }) => {
    const { idempotency, request, around, order, count, key } = open(db, { lease: '100ms' });
    const slow = createIdempotency({
      store: { ...postgresStore(db), renew: async () => false },
      lease: '100ms',
    });
    let end = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    const late = slow.run(request, async () => {
      await ended;
      await writeOrder(db, key);
      return answer(200);
    });
    await systemClock.sleep(150);
    const joined = idempotency.run(
      request,
      async ({ within }) => {
        await order()({ within: within as Trx });
        end();
        // The first finishes here: it was late, but nobody had finished.
        await late;
        return answer();
      },
      around,
    );
    await expect(joined).rejects.toBeInstanceOf(StillRunning);
    expect((await idempotency.run(request, order(), around)).answer.status).toBe(200);
    expect(await count()).toEqual([1, 1]);
  });
});
