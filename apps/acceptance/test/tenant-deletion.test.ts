import { silentLogger, uuidv7 } from '@svc/core';
import { testClock } from '@svc/core/testing';
import type { Db } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { createTenancy, tenantTables } from '@svc/tenancy';
import { tenancyMigrations } from '@svc/tenancy/migrations';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { appRole } from '../src/app-role.ts';
import { migrations } from '../src/migrations.ts';
import { createTenantDeletions, type DeletionToRun } from '../src/tenants/deletion.ts';
import { lintTenants } from '../src/tenants/lint.ts';

const test = databaseTest([tenancyMigrations]);
const testOfApp = databaseTest(migrations);

function open(db: Db) {
  const clock = testClock();
  const queued: (DeletionToRun & { runAt: Date; uniqueKey: string })[] = [];
  const ended: string[] = [];
  const tenancy = createTenancy({
    db,
    sendMail: async () => undefined,
    publicUrl: 'https://projects.example',
    appName: 'Projects',
    deletionGrace: '30d',
    onDeletionRequested: (tenantId, options): Promise<unknown> =>
      deletions.request(tenantId, options),
    clock,
  });
  const deletions = createTenantDeletions({
    tenancy,
    tables: tenantTables(['svc_tenancy.usage']),
    apiKeys: {
      ofTenant: {
        list: async () => [],
        revoke: async () => undefined,
        revokeAll: async (tenantId, _, actor, { within } = {}) => {
          if (within?.isTransaction === true) ended.push(`keys ${tenantId} ${actor.type}`);
          return 1;
        },
      },
    },
    webhooks: {
      stopTenant: async (tenantId, { within } = {}) => {
        if (within?.isTransaction === true) ended.push(`webhooks ${tenantId}`);
      },
    },
    enqueue: async (of, { runAt, uniqueKey }) => void queued.push({ ...of, runAt, uniqueKey }),
  });
  const run = ({ tenantId, dueAt }: DeletionToRun) =>
    deletions.run({ tenantId, dueAt }, { signal: AbortSignal.any([]), logger: silentLogger });
  return { clock, tenancy, deletions, queued, ended, run };
}

test('a deletion ends API keys and webhooks of the tenant in one transaction', async ({ db }) => {
  const { clock, tenancy, deletions, queued, ended, run } = open(db);
  const by = uuidv7();
  const { id } = await tenancy.tenants.create({ name: 'Acme' }, { ownerId: by });
  const { dueAt } = await tenancy.tenants.remove(id, { by });
  expect(queued).toMatchObject([{ tenantId: id, runAt: dueAt }]);
  await expect(run(queued[0] as DeletionToRun)).rejects.toThrow('not to be deleted yet');
  expect(ended).toEqual([]);
  await clock.advance('30d');
  await run(queued[0] as DeletionToRun);
  expect(ended).toEqual([`keys ${id} system`, `webhooks ${id}`]);
  expect((await deletions.find(id))?.receipt?.rows).toMatchObject({ 'svc_tenancy.tenants': 1 });
});

test('the job of a deletion that was taken back deletes nothing, also where another was asked for since', async ({
  db,
}) => {
  const { clock, tenancy, deletions, queued, run } = open(db);
  const by = uuidv7();
  const { id } = await tenancy.tenants.create({ name: 'Acme' }, { ownerId: by });
  await tenancy.tenants.remove(id, { by });
  await tenancy.tenants.cancelRemoval(id, { by });
  await clock.advance('30d');
  const first = queued[0] as DeletionToRun;
  await run(first);
  expect(await tenancy.tenants.get(id, { by })).toMatchObject({ name: 'Acme' });
  await tenancy.tenants.remove(id, { by });
  await run(first);
  expect(await deletions.find(id)).toMatchObject({ startedAt: null });
  expect(new Set(queued.map(({ uniqueKey }) => uniqueKey)).size).toBe(2);
});

test('one whose job was given up is queued again, under the same key', async ({ db }) => {
  const { clock, tenancy, deletions, queued } = open(db);
  const by = uuidv7();
  const { id } = await tenancy.tenants.create({ name: 'Acme' }, { ownerId: by });
  await tenancy.tenants.remove(id, { by });
  const others = (await deletions.queueDue()) + queued.length;
  expect(queued.filter(({ tenantId }) => tenantId === id)).toHaveLength(1);
  await clock.advance('30d');
  await deletions.queueDue();
  const own = queued.filter(({ tenantId }) => tenantId === id);
  expect([own.length, own[1], others]).toEqual([2, own[0], 1]);
});

testOfApp(
  'no table of a tenant is missing in the list that deletion goes by',
  async ({ database, db }) => {
    expect(await lintTenants(db, { appRole })).toEqual([]);
    class Undone extends Error {}
    const found = database.asOwner(async (trx) => {
      await sql`create table svc_webhooks.notes (tenant_id text, note text)`.execute(trx);
      expect(await lintTenants(trx, { appRole })).toMatchObject([
        { table: 'svc_webhooks.notes', rule: 'table-not-registered' },
      ]);
      throw new Undone();
    });
    await expect(found).rejects.toBeInstanceOf(Undone);
  },
);
