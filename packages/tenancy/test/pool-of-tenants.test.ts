import { CommitRolledBack, connect, transact, type Db } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { type Kysely, sql } from 'kysely';
import { expect } from 'vitest';
import { tenantScoped, withTenant } from '../src/index.ts';
import { tenancyMigrations } from '../src/migrations.ts';
import { appMigrations, canaryOf, fill, tables, type Tables, typed, uuid } from './two-tables.ts';

const test = databaseTest([tenancyMigrations, appMigrations]);

// pnpm soak sets SOAK; a test run has less time.
const transactions = process.env['SOAK'] === 'true' ? 100_000 : 2000;
const concurrency = 64;
const tenants = Array.from({ length: 40 }, (_, index) => uuid(9000 + index));

class Thrown extends Error {}

interface Turn {
  readonly scoped: Db;
  /** The same pool without a scope, for what row-level security has to hold alone. */
  readonly bare: Db;
  readonly other: Db;
  readonly tenantId: string;
  readonly turn: number;
}

const read = async (db: Kysely<Tables>, tenantId: string) => {
  const rows = await db.selectFrom('app.projects').select('canary').execute();
  expect(rows).toHaveLength(3);
  for (const { canary } of rows) expect(canary).toBe(canaryOf(tenantId));
};

const readBare = async (db: Db, tenantId: string | null) => {
  const rows = await typed(db.withoutPlugins()).selectFrom('app.tasks').select('canary').execute();
  expect(new Set(rows.map(({ canary }) => canary))).toEqual(
    new Set(tenantId === null ? [] : [canaryOf(tenantId)]),
  );
};

/** What may happen to a transaction. Each resolves when it ended as it should. */
const happenings: readonly ((turn: Turn) => Promise<unknown>)[] = [
  ({ scoped, tenantId }) => withTenant(scoped, tenantId, (trx) => read(typed(trx), tenantId)),
  ({ scoped, tenantId }) => withTenant(scoped, tenantId, (trx) => readBare(trx, tenantId)),
  // Nobody's: finds nothing of whoever had the connection before.
  ({ bare }) => transact(bare, (trx) => readBare(trx, null)),
  ({ bare }) => readBare(bare, null),
  ({ scoped, tenantId, turn }) =>
    withTenant(scoped, tenantId, async (trx) => {
      await typed(trx)
        .updateTable('app.projects')
        .set({ rank: turn })
        .where('id', '=', uuid(101))
        .execute();
      await read(typed(trx), tenantId);
    }),
  ({ scoped, tenantId }) =>
    expect(
      withTenant(scoped, tenantId, async (trx) => {
        await typed(trx).deleteFrom('app.tasks').execute();
        await typed(trx).updateTable('app.projects').set({ canary: 'thrown' }).execute();
        throw new Thrown();
      }),
    ).rejects.toThrow(Thrown),
  ({ scoped, tenantId }) =>
    withTenant(scoped, tenantId, async (trx) => {
      await withTenant(trx, tenantId, async (inner) => {
        await typed(inner).deleteFrom('app.tasks').execute();
        throw new Thrown();
      }).catch(() => {});
      await readBare(trx, tenantId);
    }),
  ({ bare, scoped, tenantId }) =>
    transact(bare, async (trx) => {
      await withTenant(tenantScoped(trx, tables), tenantId, (inner) =>
        read(typed(inner), tenantId),
      );
      await readBare(trx, null);
      void scoped;
    }),
  // A time-out in the middle of a statement.
  ({ scoped, tenantId }) =>
    expect(
      withTenant(scoped, tenantId, async (trx) => {
        await sql`set local statement_timeout = '1ms'`.execute(trx);
        await sql`select pg_sleep(1)`.execute(trx);
      }),
    ).rejects.toMatchObject({ code: '57014' }),
  // An error that is swallowed: the commit is a rollback.
  ({ scoped, tenantId }) =>
    expect(
      withTenant(scoped, tenantId, async (trx) => {
        await sql`select 1 / 0`.execute(trx).catch(() => {});
      }),
    ).rejects.toThrow(CommitRolledBack),
];

/** Cancels the statement that runs, or ends its connection, from another. */
const fromOutside =
  (act: 'pg_cancel_backend' | 'pg_terminate_backend') =>
  ({ scoped, other, tenantId }: Turn) =>
    withTenant(scoped, tenantId, async (trx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
      let ended = false;
      const sleeping = sql`select pg_sleep(30)`.execute(trx).finally(() => (ended = true));
      sleeping.catch(() => {});
      // It may come before the statement begins; so again until it is met.
      while (!ended) await sql`select ${sql.raw(act)}(${rows[0]?.pid}::integer)`.execute(other);
      await sleeping;
    }).then(
      () => expect.unreachable(),
      (error: { code?: string }) => expect(['57014', 'db.unavailable']).toContain(error.code),
    );
const rare = [fromOutside('pg_cancel_backend'), fromOutside('pg_terminate_backend')];

test(`${transactions} transactions of forty tenants over ten connections show nobody another's rows`, async ({
  database,
}) => {
  await database.asOwner((trx) => fill(trx, tenants));
  const url = database.urls?.url as string;
  await using pool = await connect(url, { poolSize: 10, acquireTimeoutMs: 60_000 });
  await using outside = await connect(url, { poolSize: 2, acquireTimeoutMs: 60_000 });
  const scoped = tenantScoped(pool.db, tables);
  let next = 0;
  const work = async () => {
    for (let turn = next++; turn < transactions; turn = next++) {
      // Strides without a common factor, so that every tenant meets every happening.
      const tenantId = tenants[(turn * 7) % tenants.length] as string;
      const happen =
        turn % 97 === 0
          ? rare[(turn / 97) % 2]
          : happenings[(turn + Math.floor(turn / tenants.length)) % happenings.length];
      await happen?.({ scoped, bare: pool.db, other: outside.db, tenantId, turn });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  expect(next).toBeGreaterThanOrEqual(transactions);
  for (const tenantId of tenants)
    await withTenant(scoped, tenantId, async (trx) => {
      await read(typed(trx), tenantId);
      await readBare(trx, tenantId);
    });
}, 1_200_000);
