import { transact, type Db } from '@svc/db';
import { describeDatabases } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import {
  asSystem,
  isolateByTenant,
  type SystemAccess,
  tenancyOf,
  tenantScoped,
  tenantTables,
  withTenant,
} from '../src/index.ts';
import { tenancyMigrations } from '../src/migrations.ts';
import {
  ann,
  appMigrations,
  bob,
  canaryOf,
  fill,
  tables as twoTables,
  typed,
  uuid,
} from './two-tables.ts';

const notes = {
  schema: 'notes',
  steps: [
    {
      name: '0001_notes',
      up: [
        `create table notes.notes (tenant_id uuid not null, id uuid not null, primary key (tenant_id, id))`,
        ...isolateByTenant('notes.notes', { system: true }).up,
      ],
      down: [],
    },
  ],
};
const tables = tenantTables(['app.projects', 'app.tasks', 'notes.notes']);
const tenantNow = async (db: Db) =>
  (
    await sql<{
      t: string;
    }>`select current_setting(concat('app.', 'tenant_id'), true) as t`.execute(db)
  ).rows[0]?.t;

describeDatabases(
  'a transaction of a tenant',
  [tenancyMigrations, appMigrations, notes],
  (test) => {
    const namesFor = (db: Db, tenantId: string) =>
      withTenant(db, tenantId, (trx) =>
        typed(trx).selectFrom('app.projects').select('canary').distinct().execute(),
      );

    test.beforeAll(async ({ database }) => database.asOwner((trx) => fill(trx)));

    test('sees its rows, and the next one on the connection those of its own', async ({ db }) => {
      const scoped = tenantScoped(db, tables);
      expect(await namesFor(scoped, ann)).toEqual([{ canary: canaryOf(ann) }]);
      expect(await namesFor(scoped, bob.toUpperCase())).toEqual([{ canary: canaryOf(bob) }]);
      expect(await typed(db).selectFrom('app.projects').selectAll().execute()).toEqual([]);
    });

    test('no statement on a tenant table runs outside of one', async ({ db }) => {
      const scoped = tenantScoped(db, tables);
      for (const run of [
        () => typed(scoped).selectFrom('app.projects').selectAll().execute(),
        () => transact(scoped, (trx) => typed(trx).deleteFrom('app.tasks').execute()),
        () => typed(scoped).withSchema('notes').selectFrom('app.tasks').selectAll().execute(),
      ])
        await expect(run()).rejects.toThrow('needs a tenant: use withTenant');
      expect(await typed(scoped).selectFrom('app.colours').selectAll().execute()).toHaveLength(2);
    });

    test('within one of the same tenant it is a savepoint', async ({ db }) => {
      const scoped = tenantScoped(db, tables);
      const names = await withTenant(scoped, ann, async (trx) => {
        await withTenant(trx, ann, async (inner) => {
          await typed(inner).updateTable('app.projects').set({ rank: 50 }).execute();
          throw new Error('undone');
        }).catch(() => {});
        expect(await tenantNow(trx)).toBe(ann);
        return typed(trx).selectFrom('app.projects').select('rank').orderBy('rank').execute();
      });
      expect(names).toEqual([{ rank: 1 }, { rank: 2 }, { rank: 3 }]);
    });

    test('within one of another tenant it is refused, even where the plugin was lost', async ({
      db,
    }) => {
      const scoped = tenantScoped(db, tables);
      await withTenant(scoped, ann, async (trx) => {
        await expect(withTenant(trx, bob, async () => {})).rejects.toThrow('for another tenant');
        const lost = tenantScoped(trx.withoutPlugins(), tables);
        await expect(withTenant(lost, bob, async () => {})).rejects.toThrow('for another tenant');
        expect(await tenantNow(trx)).toBe(ann);
      });
    });

    test('within one of nobody it is a part, and the rest is for nobody again', async ({ db }) => {
      await transact(tenantScoped(db, tables), async (trx) => {
        for (const tenantId of [ann, bob])
          expect(await namesFor(trx, tenantId)).toEqual([{ canary: canaryOf(tenantId) }]);
        await withTenant(trx, ann, () => Promise.reject(new Error('no'))).catch(() => {});
        expect(await tenantNow(trx)).toBe('');
        await expect(typed(trx).selectFrom('app.projects').selectAll().execute()).rejects.toThrow(
          'needs a tenant',
        );
        expect(
          await typed(trx.withoutPlugins()).selectFrom('app.projects').selectAll().execute(),
        ).toEqual([]);
      });
    });

    test('an id that is none, and a database that knows no tenant tables, are mistakes', async ({
      db,
    }) => {
      const scoped = tenantScoped(db, tables);
      for (const id of ['', 'x', `${ann}'`, undefined as never, null as never])
        await expect(withTenant(scoped, id, async () => {})).rejects.toThrow(
          'a tenant is named by its id',
        );
      await expect(withTenant(db, ann, async () => {})).rejects.toThrow('tenantScoped(db, tables)');
      expect(tenancyOf(scoped)).toMatchObject({ kind: 'tenant', tenantId: null });
    });

    test('a transaction that is tried again is the tenant’s again', async ({ db }) => {
      let tries = 0;
      const names = await withTenant(tenantScoped(db, tables), ann, async (trx) => {
        tries += 1;
        if (tries === 1)
          await sql`do $$ begin raise exception 'again' using errcode = '40001'; end $$`.execute(
            trx,
          );
        return typed(trx).selectFrom('app.projects').select('canary').distinct().execute();
      });
      expect([tries, names]).toEqual([2, [{ canary: canaryOf(ann) }]]);
    });

    test('the system sees all tenants where a table allows it, and elsewhere nothing', async ({
      db,
    }) => {
      const scoped = tenantScoped(db, tables);
      for (const tenantId of [ann, bob])
        await withTenant(scoped, tenantId, (trx) =>
          trx
            .insertInto('notes.notes')
            .values({ id: uuid(1) })
            .execute(),
        );
      const seen: SystemAccess[] = [];
      const audit = async (event: SystemAccess) => void seen.push(event);
      const result = await asSystem(
        scoped,
        'count notes',
        async (trx) => {
          await expect(withTenant(trx, ann, async () => {})).rejects.toThrow('for the system');
          const all = await trx
            .selectFrom('notes.notes')
            .select('tenant_id')
            .orderBy('tenant_id')
            .execute();
          return [all, await typed(trx).selectFrom('app.projects').selectAll().execute()];
        },
        { audit },
      );
      expect(result).toEqual([[{ tenant_id: ann }, { tenant_id: bob }], []]);
      expect(seen).toEqual([
        {
          type: 'tenancy.system_access',
          tenantId: null,
          actor: { type: 'system', id: null, reason: 'count notes' },
        },
      ]);
      expect(await db.selectFrom('notes.notes').selectAll().execute()).toEqual([]);
      await withTenant(scoped, ann, async (trx) => {
        expect(await trx.selectFrom('notes.notes').selectAll().execute()).toHaveLength(1);
      });
    });

    test('what the system does is in the audit log before it is done, or is not done', async ({
      db,
    }) => {
      const scoped = tenantScoped(db, tables);
      const seen: SystemAccess[] = [];
      const audit = async (event: SystemAccess) => void seen.push(event);
      const fails = () => Promise.reject(new Error('no'));
      await expect(asSystem(scoped, 'look', fails, { audit })).rejects.toThrow('no');
      expect(seen).toHaveLength(1);
      let ran = false;
      const act = async () => void (ran = true);
      await expect(asSystem(scoped, 'look', act, { audit: fails })).rejects.toThrow('no');
      for (const reason of ['', '  ', 'x'.repeat(201)])
        await expect(asSystem(scoped, reason, act, { audit })).rejects.toThrow('say why');
      await withTenant(scoped, ann, async (trx) => {
        await expect(asSystem(trx, 'look', act, { audit })).rejects.toThrow(
          'a transaction of its own',
        );
      });
      expect(ran).toBe(false);
    });

    test('a name that needs quotes is refused', () => {
      for (const name of [
        'app.Projects',
        'app.projects"; drop',
        'a.b.c',
        '',
        'app.',
        '1app.projects',
        `app.${'x'.repeat(64)}`,
      ]) {
        expect(() => isolateByTenant(name)).toThrow(TypeError);
        expect(() => tenantTables([name])).toThrow(TypeError);
      }
      expect(() => isolateByTenant('app.projects', { column: 'a-b' })).toThrow(TypeError);
      expect(() => isolateByTenant('app.projects', { type: 'uuid; drop' as never })).toThrow(
        TypeError,
      );
      expect(() => tenantTables(['app.projects', 'app.projects'])).toThrow('named twice');
      expect(twoTables.tables).toHaveLength(2);
    });
  },
);
