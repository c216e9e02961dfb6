import { databaseTest, describeDatabases } from '@svc/db/testing';
import { transact } from '@svc/db';
import { uuidv7 } from '@svc/core';
import { recordEvents } from '@svc/core/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import {
  acted,
  createTenantDeletion,
  receiptDigest,
  type TenancyAuditEvent,
  tenantScoped,
  tenantTables,
  withTenant,
} from '../src/index.ts';
import { tenancyMigrations } from '../src/migrations.ts';
import { become, dataMigrations, dataTables as tables, fillTenant, rowsOf } from './data-tables.ts';
import { codeOf, openTenancy } from './open-tenancy.ts';
import { runProgram } from './programs.ts';

const migrations = [tenancyMigrations, dataMigrations];
const directory = ['svc_tenancy.memberships', 'svc_tenancy.invitations', 'svc_tenancy.selections'];

describeDatabases('the deletion of a tenant', migrations, (test) => {
  test('leaves none of its rows, all rows of others, and a receipt in the audit log', async ({
    db,
  }) => {
    const revoked: string[] = [];
    const queued: unknown[] = [];
    const { tenancy, tenant, audited, clock } = openTenancy(db, {
      onDeletionRequested: async (tenantId, { dueAt }) => void queued.push([tenantId, dueAt]),
    });
    const [acme, other] = [await tenant(), await tenant('Other')];
    await acme.add('member');
    await tenancy.select({ kind: 'session', id: 's1' }, acme.id, acme.owner.userId);
    for (const { id } of [acme, other]) await fillTenant(db, id, 30);
    const all = [...directory, ...Object.keys(await rowsOf(db, acme.id))];
    const before = await rowsOf(db, other.id, all);
    const deletion = createTenantDeletion({
      tenancy,
      tables,
      batchSize: 7,
      revoke: async (tenantId, { within }) => {
        if (!within.isTransaction) throw new TypeError('no transaction');
        revoked.push(tenantId);
      },
    });
    expect(await codeOf(deletion.run(acme.id))).toBe('tenancy.tenant_not_found');
    const requestedAt = clock.now();
    await tenancy.tenants.remove(acme.id, { by: acme.owner.userId });
    expect(queued).toEqual([[acme.id, requestedAt]]);
    expect(await deletion.due()).toEqual([acme.id]);
    await clock.advance('1s');
    const receipt = await deletion.run(acme.id);
    expect(receipt).toMatchObject({
      tenantId: acme.id,
      requestedAt: requestedAt.toISOString(),
      startedAt: clock.now().toISOString(),
      completedAt: clock.now().toISOString(),
      rows: {
        'app.a_files': 33,
        'app.folders': 2,
        'app.hens': 1,
        'app.eggs': 1,
        'app.deliveries': 1,
        'svc_tenancy.usage': 1,
        'svc_tenancy.memberships': 2,
        'svc_tenancy.invitations': 1,
        'svc_tenancy.selections': 1,
        'svc_tenancy.tenants': 1,
      },
    });
    expect(receipt.sha256).toBe(receiptDigest(receipt));
    expect(receiptDigest({ ...receipt, rows: { ...receipt.rows, 'app.hens': 2 } })).not.toBe(
      receipt.sha256,
    );
    expect(audited.at(-1)).toMatchObject({
      type: 'tenancy.tenant.deleted',
      tenantId: acme.id,
      actor: { type: 'system' },
      details: { sha256: receipt.sha256, rows: 44, 'app.a_files': 33 },
    });
    for (const rows of Object.values(await rowsOf(db, acme.id, all))) expect(rows).toEqual([]);
    expect(await rowsOf(db, other.id, all)).toEqual(before);
    expect((await rowsOf(db, acme.id, ['app.ledger']))['app.ledger']).toHaveLength(1);
    expect(await tenancy.tenants.find(acme.id)).toBeNull();
    expect(revoked).toEqual([acme.id]);
    // Again: the same receipt, and nothing is done.
    const entries = audited.length;
    expect(await deletion.run(acme.id)).toEqual(receipt);
    expect(await deletion.receiptOf(acme.id.toUpperCase())).toEqual(receipt);
    expect(await deletion.due()).toEqual([]);
    expect([audited.length, revoked.length]).toEqual([entries, 1]);
  });

  test('from the freeze on no transaction of the tenant begins, also after the deletion', async ({
    db,
  }) => {
    const { tenancy, tenant } = openTenancy(db);
    const acme = await tenant();
    const scoped = tenantScoped(db, tables);
    const enter = () => codeOf(withTenant(scoped, acme.id, async () => {}));
    expect(await enter()).toBe('no failure');
    await tenancy.tenants.remove(acme.id, { by: acme.owner.userId });
    expect(await enter()).toBe('tenancy.tenant_not_found');
    const within = transact(scoped, (trx) => withTenant(trx, acme.id, async () => {}));
    expect(await codeOf(within)).toBe('tenancy.tenant_not_found');
    await createTenantDeletion({ tenancy, tables }).run(acme.id);
    expect(await enter()).toBe('tenancy.tenant_not_found');
  });

  test('waits for the grace period, in which an owner or staff brings the tenant back', async ({
    db,
  }) => {
    const { tenancy, tenant, clock, audited } = openTenancy(db, { deletionGrace: '30d' });
    const acme = await tenant();
    const [admin, by] = [await acme.add('admin'), acme.owner.userId];
    await fillTenant(db, acme.id);
    const before = await rowsOf(db, acme.id);
    const deletion = createTenantDeletion({ tenancy, tables });
    const cancel = (userId: string) =>
      codeOf(tenancy.tenants.cancelRemoval(acme.id, { by: userId }));
    expect(await cancel(by)).toBe('tenancy.tenant_not_found');
    using events = recordEvents(acted);
    await tenancy.tenants.remove(acme.id, { by });
    expect(await codeOf(tenancy.tenants.get(acme.id, { by }))).toBe('tenancy.tenant_not_found');
    expect(await deletion.due()).toEqual([]);
    await clock.advance('29d');
    expect(await codeOf(deletion.run(acme.id))).toBe('tenancy.deletion_not_due');
    expect(await cancel(uuidv7())).toBe('tenancy.tenant_not_found');
    expect(await cancel(admin.userId)).toBe('tenancy.role_required');
    expect(audited.at(-1)).toMatchObject({
      type: 'tenancy.access.denied',
      details: { act: 'cancel_removal' },
    });
    expect(await cancel(by)).toBe('no failure');
    expect(await tenancy.tenants.get(acme.id, { by })).toMatchObject({
      name: 'Acme',
      role: 'owner',
    });
    await withTenant(tenantScoped(db, tables), acme.id, async () => {});
    const staff = { type: 'user', id: uuidv7() } as const;
    expect(await codeOf(tenancy.tenants.restore(acme.id, staff))).toBe('tenancy.tenant_not_found');

    await tenancy.tenants.remove(acme.id, { by });
    await tenancy.tenants.restore(acme.id, staff);
    expect(events.events.map(({ payload }) => payload.type)).toContain(
      'tenancy.tenant.deletion_cancelled',
    );
    expect(await rowsOf(db, acme.id)).toEqual(before);

    await tenancy.tenants.remove(acme.id, { by });
    await clock.advance('30d');
    expect(await deletion.due()).toContain(acme.id);
    await deletion.run(acme.id);
    expect(await codeOf(tenancy.tenants.restore(acme.id, staff))).toBe('tenancy.tenant_not_found');
  });

  test('that failed half-way goes on, and cannot be cancelled any more', async ({ db }) => {
    const { tenancy, tenant } = openTenancy(db);
    const acme = await tenant();
    await fillTenant(db, acme.id, 20);
    await tenancy.tenants.remove(acme.id, { by: acme.owner.userId });
    let tries = 0;
    const revoke = async () => {
      tries += 1;
      if (tries === 1) throw new Error('the key store is away');
    };
    const stop = new AbortController();
    const onProgress = ({ table, rows }: { table: string; rows: number }) => {
      if (table === 'app.a_files' && rows === 10) stop.abort(new Error('stopped'));
    };
    const deletion = createTenantDeletion({ tenancy, tables, revoke, batchSize: 5, onProgress });
    await expect(deletion.run(acme.id)).rejects.toThrow('the key store is away');
    expect((await rowsOf(db, acme.id, directory))['svc_tenancy.memberships']).toHaveLength(1);
    const cancelled = tenancy.tenants.cancelRemoval(acme.id, { by: acme.owner.userId });
    expect(await codeOf(cancelled)).toBe('tenancy.deletion_begun');
    await expect(deletion.run(acme.id, { signal: stop.signal })).rejects.toThrow('stopped');
    expect(await deletion.receiptOf(acme.id)).toBeNull();
    expect((await deletion.run(acme.id)).rows).toMatchObject({
      'app.a_files': 23,
      'svc_tenancy.memberships': 1,
    });
    expect(tries).toBe(2);
  });

  test('is refused for tenants that are not of this package, and for tables that are not there', async ({
    db,
  }) => {
    const { tenancy, tenant } = openTenancy(db);
    const make =
      (list: Parameters<typeof createTenantDeletion>[0]['tables'], more = {}) =>
      () =>
        createTenantDeletion({ tenancy, tables: list, ...more });
    expect(make(tenantTables([], { type: 'text' }))).toThrow(TypeError);
    expect(make(tenantTables([], { directory: false }))).toThrow(TypeError);
    expect(make(tables, { batchSize: 0 })).toThrow(TypeError);
    const acme = await tenant();
    await tenancy.tenants.remove(acme.id, { by: acme.owner.userId });
    const deletion = make(tenantTables(['app.gone']))();
    await expect(deletion.run(acme.id)).rejects.toThrow('no table app.gone');
    await expect(deletion.run('x')).rejects.toThrow(TypeError);
  });
});

const test = databaseTest(migrations);

test('50 runs at once do it once', async ({ db }) => {
  const { tenancy, tenant, audited } = openTenancy(db);
  const acme = await tenant();
  await fillTenant(db, acme.id, 400);
  await tenancy.tenants.remove(acme.id, { by: acme.owner.userId });
  let revoked = 0;
  const revoke = async () => void (revoked += 1);
  const deletion = createTenantDeletion({ tenancy, tables, revoke, batchSize: 50 });
  const receipts = await Promise.all(Array.from({ length: 50 }, () => deletion.run(acme.id)));
  for (const receipt of receipts) expect(receipt).toEqual(receipts[0]);
  expect(receipts[0]?.rows['app.a_files']).toBe(403);
  expect(revoked).toBe(1);
  const entries = audited.filter(
    ({ type }: TenancyAuditEvent) => type === 'tenancy.tenant.deleted',
  );
  expect(entries).toHaveLength(1);
});

test('members who write while the tenant is frozen and deleted leave nothing behind', async ({
  db,
}) => {
  const { tenancy, tenant } = openTenancy(db);
  const acme = await tenant();
  await fillTenant(db, acme.id, 100);
  const scoped = tenantScoped(db, tables);
  const inside = Promise.withResolvers<void>();
  const frozen = Promise.withResolvers<void>();
  const look = Promise.withResolvers<void>();
  // One that began before, has written nothing when the deletion begins, and writes then.
  const late = withTenant(scoped, acme.id, async (trx) => {
    inside.resolve();
    await look.promise;
    await trx.insertInto('app.a_files').values({ id: uuidv7(), n: 1 }).execute();
    return 'written';
  });
  await inside.promise;
  let accepted = 0;
  const write = async () => {
    for (let tries = 0; tries < 2000; tries += 1) {
      const code = await codeOf(
        withTenant(scoped, acme.id, async (trx) => {
          await trx.insertInto('app.a_files').values({ id: uuidv7(), n: 1 }).execute();
        }),
      );
      if (code !== 'no failure') {
        frozen.resolve();
        return code;
      }
      accepted += 1;
      if (accepted === 20) frozen.resolve();
    }
    return 'let in without end';
  };
  // Fewer than the pool has connections: the freeze and the deletion need theirs.
  const writers = Array.from({ length: 6 }, write);
  await frozen.promise;
  await tenancy.tenants.remove(acme.id, { by: acme.owner.userId });
  const deletion = createTenantDeletion({ tenancy, tables });
  const run = deletion.run(acme.id);
  expect(new Set(await Promise.all(writers))).toEqual(new Set(['tenancy.tenant_not_found']));
  // Until the deletion waits for it, or is over without.
  let isOver = false;
  void run.finally(() => (isOver = true));
  const waits = sql<{ waits: boolean }>`select exists (select from pg_stat_activity
    where datname = current_database() and query like 'select pg_sleep%') as waits`;
  while (!isOver && (await waits.execute(db)).rows[0]?.waits !== true);
  look.resolve();
  expect(await late).toBe('written');
  const receipt = await run;
  expect(receipt.rows['app.a_files']).toBe(103 + accepted + 1);
  for (const rows of Object.values(await rowsOf(db, acme.id))) expect(rows).toEqual([]);
});

test('a transaction from before that does not end holds the deletion up, and the next run goes on', async ({
  db,
}) => {
  const { tenancy, tenant } = openTenancy(db);
  const acme = await tenant();
  await fillTenant(db, acme.id);
  await tenancy.tenants.remove(acme.id, { by: acme.owner.userId });
  const deletion = createTenantDeletion({ tenancy, tables, waitMs: 100 });
  await transact(db, async (trx) => {
    await sql`select 1`.execute(trx);
    expect(await codeOf(deletion.run(acme.id))).toBe('tenancy.deletion_held_up');
  });
  expect((await deletion.run(acme.id)).rows['app.hens']).toBe(1);
});

test('rows that somebody goes on writing are no receipt', async ({ db, database }) => {
  const { tenancy, tenant } = openTenancy(db);
  const acme = await tenant();
  await fillTenant(db, acme.id);
  await database.asOwner(async (trx) => {
    await sql`create function app.again() returns trigger language plpgsql as $$ begin
      insert into app.deliveries values (old.tenant_id, gen_random_uuid()); return old; end $$`.execute(
      trx,
    );
    await sql`create trigger again after delete on app.hens for each row execute function app.again()`.execute(
      trx,
    );
  });
  await tenancy.tenants.remove(acme.id, { by: acme.owner.userId });
  const stubborn = async () => {
    await transact(db, async (trx) => {
      await become(trx, acme.id);
      const hen = uuidv7();
      await sql`insert into app.hens values (${acme.id}, ${hen})`.execute(trx);
    });
  };
  let gone = 0;
  const pending: Promise<void>[] = [];
  const onProgress = ({ table }: { table: string }) => {
    if (table === 'app.hens') gone += 1;
    if (table === 'app.deliveries') pending.push(stubborn());
  };
  const deletion = createTenantDeletion({ tenancy, tables, onProgress });
  const code = await codeOf(deletion.run(acme.id));
  await Promise.all(pending);
  expect([code, gone > 1]).toEqual(['tenancy.rows_remain', true]);
  await database.asOwner((trx) => sql`drop function app.again cascade`.execute(trx));
  expect(await createTenantDeletion({ tenancy, tables }).run(acme.id)).toMatchObject({
    tenantId: acme.id,
  });
});

const killPoints = ['revoked', 'app.hens', 'app.a_files 300', 'app.a_files 2100', 'app.folders'];

test.for(killPoints)(
  'a process that is killed at %s is taken over',
  { timeout: 60_000 },
  async (point, { db, database }) => {
    const { tenancy, tenant } = openTenancy(db);
    const [acme, other] = [await tenant(), await tenant('Other')];
    for (const { id } of [acme, other]) await fillTenant(db, id, 3000);
    const before = await rowsOf(db, other.id);
    await tenancy.tenants.remove(acme.id, { by: acme.owner.userId });
    const url = database.urls?.url as string;
    const program = runProgram(process.execPath, 'delete-tenant', [url, acme.id]);
    for (;;) {
      const { table, rows } = await program.next<{ table: string; rows: number }>();
      expect(table).not.toBe('done');
      if (point === table || point === `${table} ${rows}`) break;
    }
    program.child.kill('SIGKILL');
    expect(await program.ended).toMatchObject({ signal: 'SIGKILL' });
    const deletion = createTenantDeletion({ tenancy, tables });
    expect(await deletion.receiptOf(acme.id)).toBeNull();
    const receipt = await deletion.run(acme.id);
    expect(receipt.rows).toEqual({
      'app.a_files': 3003,
      'app.folders': 2,
      'app.hens': 1,
      'app.eggs': 1,
      'app.deliveries': 1,
      'svc_tenancy.usage': 1,
      'svc_tenancy.memberships': 1,
      'svc_tenancy.invitations': 0,
      'svc_tenancy.selections': 0,
      'svc_tenancy.tenants': 1,
    });
    for (const rows of Object.values(await rowsOf(db, acme.id))) expect(rows).toEqual([]);
    expect(await rowsOf(db, other.id)).toEqual(before);
  },
);
