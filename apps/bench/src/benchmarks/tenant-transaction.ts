import { systemClock, uuidv7 } from '@svc/core';
import { connect, type Db, migrate, transact } from '@svc/db';
import type { PostgresServer } from '@svc/db/testing';
import { isolateByTenant, tenantScoped, tenantTables, withTenant } from '@svc/tenancy';
import { tenancyMigrations } from '@svc/tenancy/migrations';
import { type Kysely, sql } from 'kysely';
import { type Benchmark, type Prepared, WrongAnswer } from '../benchmark.ts';
import { oneAfterTheOther } from '../load.ts';

const bare = 'bare';
const added = 'what isolation adds';

/** What the repository scope and row-level security cost a transaction together. */
export const tenantTransaction: Benchmark = {
  name: 'tenant-transaction',
  summary:
    'a transaction that reads one of 100,000 rows by its key and changes it, by Kysely, without isolation and with both layers, by turns, one after the other',
  reference: bare,
  goals: [{ variant: added, figure: 'p50Ms', atMost: 0.2 }],
  durable: true,
  prepare,
};

interface Tables {
  'app.bare': Row;
  'app.isolated': Row;
}

interface Row {
  tenant_id: string;
  id: string;
  name: string;
  version: number;
}

const tenants = 100;
const rowsEach = 1000;

const table = (name: string) =>
  `create table app.${name} (tenant_id uuid not null, id uuid not null, name text not null,
    version integer not null default 1, primary key (tenant_id, id))`;

const migrations = {
  schema: 'app',
  steps: [
    {
      name: '0001_rows',
      up: [table('bare'), table('isolated'), ...isolateByTenant('app.isolated').up],
      down: [],
    },
  ],
};

async function prepare(server: PostgresServer): Promise<Prepared> {
  await using owner = await connect(server.ownerUrl);
  await migrate(owner.db, [tenancyMigrations, migrations], {
    appRole: new URL(server.url).username,
  });
  const ids = await fill(owner.db);
  const { db, close } = await connect(server.url);
  const scoped = tenantScoped(db, tenantTables(['app.isolated']));
  let turn = 0;
  const timed = async (work: (row: Place) => Promise<Row | undefined>) => {
    const row = ids[turn++ % ids.length] as Place;
    const startedAt = systemClock.elapsedMs();
    const changed = await work(row);
    const elapsedMs = systemClock.elapsedMs() - startedAt;
    if (changed?.id !== row.id) throw new WrongAnswer('another row was changed, or none');
    return elapsedMs;
  };
  const without = () => timed((row) => transact(db, (trx) => change(trx, 'app.bare', row)));
  const within = () =>
    timed((row) => withTenant(scoped, row.tenantId, (trx) => change(trx, 'app.isolated', row)));
  const variant = (name: string, take: () => Promise<number>) => ({
    name,
    run: (durationMs: number) => oneAfterTheOther(durationMs, take),
  });
  return {
    variants: [
      variant(bare, without),
      variant('scope and row-level security', within),
      // Of neighbours, so that what the disk does at that moment meets both.
      variant(added, async () => -(await without()) + (await within())),
    ],
    [Symbol.asyncDispose]: close,
  };
}

interface Place {
  readonly tenantId: string;
  readonly id: string;
}

async function change(
  db: Db,
  name: keyof Tables,
  { tenantId, id }: Place,
): Promise<Row | undefined> {
  const typed: Kysely<Tables> = db;
  const found = await typed
    .selectFrom(name)
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return typed
    .updateTable(name)
    .set({ version: found.version + 1 })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

async function fill(db: Db): Promise<readonly Place[]> {
  const places = Array.from({ length: tenants }, () => uuidv7()).flatMap((tenantId) =>
    Array.from({ length: rowsEach }, () => ({ tenantId, id: uuidv7() })),
  );
  const isolated = tenantScoped(db, tenantTables(['app.isolated']));
  for (let at = 0; at < places.length; at += rowsEach) {
    const batch = places.slice(at, at + rowsEach);
    const rows = sql`select unnest(${batch.map((place) => place.tenantId)}::uuid[]),
      unnest(${batch.map((place) => place.id)}::uuid[]), 'a name', 1`;
    await sql`insert into app.bare ${rows}`.execute(db);
    // Where a transaction of a tenant begins, it is looked up.
    await sql`insert into svc_tenancy.tenants (id, name, created_at, updated_at)
      values (${batch[0]?.tenantId}, 'A tenant', now(), now())`.execute(db);
    await withTenant(isolated, (batch[0] as Place).tenantId, (trx) =>
      trx
        .insertInto('app.isolated')
        .values(batch.map(({ id }) => ({ id, name: 'a name', version: 1 }) as never))
        .execute(),
    );
  }
  await sql`analyze app.bare`.execute(db);
  await sql`analyze app.isolated`.execute(db);
  return places.sort((one, other) => (one.id.slice(-8) < other.id.slice(-8) ? -1 : 1));
}
