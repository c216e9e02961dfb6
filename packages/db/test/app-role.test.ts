import { sql } from 'kysely';
import { describe, expect } from 'vitest';
import { assertAppRole, connect, type Migrations, UnsafeRole } from '../src/index.ts';
import { databaseTest, describeDatabases } from '../src/testing.ts';

const notes: Migrations = {
  schema: 'notes',
  steps: [
    {
      name: '001',
      up: [
        'create table notes.notes (tenant_id uuid not null, text text not null)',
        'alter table notes.notes enable row level security, force row level security',
        `create policy tenant on notes.notes using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
          with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))`,
        `do $$ begin execute format('revoke delete on notes.notes from %I', current_setting('svc.app_role')); end $$`,
      ],
      down: [],
    },
  ],
};
const tenant = '00000000-0000-7000-8000-000000000001';

describeDatabases('the role of the app', [notes], (test) => {
  test('passes the guard, sees its tenant and nothing else, and cannot do what a step took back', async ({
    db,
  }) => {
    await assertAppRole(db);
    await db.transaction().execute(async (trx) => {
      await sql`select set_config('app.tenant_id', ${tenant}, true)`.execute(trx);
      await trx.insertInto('notes.notes').values({ tenant_id: tenant, text: 'mine' }).execute();
      expect(await trx.selectFrom('notes.notes').select('text').execute()).toEqual([
        { text: 'mine' },
      ]);
    });
    expect(await db.selectFrom('notes.notes').selectAll().execute()).toEqual([]);
    await expect(
      db.insertInto('notes.notes').values({ tenant_id: tenant, text: 'x' }).execute(),
    ).rejects.toMatchObject({ code: '42501' });
    await expect(db.deleteFrom('notes.notes').execute()).rejects.toMatchObject({ code: '42501' });
  });

  test('the owner, and a superuser, do not pass', async ({ database }) => {
    await expect(database.asOwner((trx) => assertAppRole(trx))).rejects.toBeInstanceOf(UnsafeRole);
  });
});

const test = databaseTest([notes]);

describe('the start-up guard', () => {
  test('says why', async ({ database }) => {
    await using owner = await connect(database.urls!.ownerUrl);
    await expect(assertAppRole(owner.db)).rejects.toThrow(
      'svc_owner must not run the app, because row-level security does not hold for it: it owns notes.',
    );
  });

  test('is not fooled by set role from a login that owns the tables', async ({ database }) => {
    await using lowered = await connect(database.urls!.url, { role: 'svc_app' });
    await assertAppRole(lowered.db);
    await expect(connect(database.urls!.url, { role: 'svc_owner' })).rejects.toMatchObject({
      code: '42501',
    });
    await expect(connect(database.urls!.url, { role: 'x"; drop' })).rejects.toBeInstanceOf(
      TypeError,
    );
  });
});
