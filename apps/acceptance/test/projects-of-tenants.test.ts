import type { Db, Trx } from '@svc/db';
import { transact } from '@svc/db';
import { describeDatabases } from '@svc/db/testing';
import { tenantScope } from '@svc/tenancy';
import { tenancyMigrations } from '@svc/tenancy/migrations';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { projects, projectsOfTenants } from '../src/projects/migrations.ts';
import { projectRepository } from '../src/projects/repository.ts';
import { tablesOfTenants } from '../src/tenants/tables.ts';

const [ann, bob] = ['01900000-0000-7000-8000-00000000000a', '01900000-0000-7000-8000-00000000000b'];
const at = new Date('2026-01-01T00:00:00Z');
const idOf = (tenantId: string) => tenantId.replace('-7000-', '-7001-');

class Undone extends Error {}

/** Runs `fn` in a transaction, and undoes what it did. */
async function undone(
  run: (fn: (trx: Trx) => Promise<never>) => Promise<never>,
  fn: (trx: Trx) => Promise<void>,
): Promise<void> {
  const ended = run(async (trx) => {
    await fn(trx);
    throw new Undone();
  });
  await expect(ended).rejects.toBeInstanceOf(Undone);
}

const become = (trx: Trx, tenantId: string) =>
  sql`select set_config('app.tenant_id', ${tenantId}, true)`.execute(trx);

/** One project of each, as each would make it. */
async function fill(trx: Trx) {
  for (const tenantId of [ann, bob] as string[]) {
    await become(trx, tenantId);
    await sql`insert into app.projects (tenant_id, id, created_by, name, created_at, updated_at)
      values (${tenantId}, ${idOf(tenantId)}, ${tenantId}, ${tenantId}, ${at}, ${at})`.execute(trx);
  }
}

/** What the repository lets somebody do with Ann's and Bob's project. */
async function reach(db: Db) {
  const rows = projectRepository(db);
  const outcomes = async (tenantId: string) => [
    (await rows.find(idOf(tenantId))) !== undefined,
    (await rows.update(idOf(tenantId), undefined, { name: 'mine' }, at)) !== undefined,
    (await rows.delete(idOf(tenantId), undefined)) !== undefined,
  ];
  const listed = (await rows.list(10, undefined)).map((row) => row.tenant_id);
  return { listed, bobs: await outcomes(bob as string), anns: await outcomes(ann as string) };
}

const onlyAnns = { listed: [ann], bobs: [false, false, false], anns: [true, true, true] };

describeDatabases(
  'the repository of projects',
  [tenancyMigrations, { schema: 'app', steps: [projects, projectsOfTenants] }],
  (test) => {
    test('reaches only rows of the tenant by the scope alone', async ({ database }) =>
      undone(database.asOwner, async (trx) => {
        await fill(trx);
        await sql`alter table app.projects disable row level security`.execute(trx);
        const scope = tenantScope({ tenantId: ann as string, tables: tablesOfTenants });
        expect(await reach(trx.withPlugin(scope))).toEqual(onlyAnns);
      }));

    test('reaches only rows of the tenant by row-level security alone', async ({ db }) =>
      undone(
        (fn) => transact(db, fn),
        async (trx) => {
          await fill(trx);
          await become(trx, ann as string);
          expect(await reach(trx)).toEqual(onlyAnns);
        },
      ));

    test('reaches everything with neither, so that the two above can fail', async ({ database }) =>
      undone(database.asOwner, async (trx) => {
        await fill(trx);
        await sql`alter table app.projects disable row level security`.execute(trx);
        const { listed, bobs } = await reach(trx);
        expect([listed.toSorted(), bobs]).toEqual([
          [ann, bob],
          [true, true, true],
        ]);
      }));
  },
);

describeDatabases('projects from before there were tenants', [tenancyMigrations], (test) => {
  test('go to a tenant of their owner, are counted there, and can go back', async ({ database }) =>
    undone(database.asOwner, async (trx) => {
      const run = async (statements: readonly string[]) => {
        for (const statement of statements) await sql.raw(statement).execute(trx);
      };
      await run(['create schema app', ...projects.up]);
      const insert = (id: string, owner: string) =>
        sql`insert into app.projects (id, owner_id, name, created_at, updated_at)
          values (${id}, ${owner}, 'old', ${at}, ${at})`.execute(trx);
      await insert(idOf(ann as string), ann as string);
      await insert('01900000-0000-7000-8000-0000000000ff', ann as string);
      await insert(idOf(bob as string), bob as string);
      for (const _ of ['first', 'again']) {
        await run(projectsOfTenants.up);
        for (const [owner, count] of [
          [ann, 2],
          [bob, 1],
        ] as const) {
          await become(trx, owner as string);
          const { rows } = await sql`select t.name, m.role, m.user_id, u.used::int,
              (select count(*)::int from app.projects p
                where p.tenant_id = t.id and p.created_by = m.user_id) as projects
            from svc_tenancy.tenants t join svc_tenancy.memberships m on m.tenant_id = t.id
            join svc_tenancy.usage u on u.tenant_id = t.id and u.quota = 'projects'
            where t.id = ${owner}`.execute(trx);
          expect(rows).toEqual([
            { name: 'Personal', role: 'owner', user_id: owner, used: count, projects: count },
          ]);
        }
        await become(trx, '');
        await run(projectsOfTenants.down);
        const { rows } = await sql`select owner_id from app.projects order by owner_id`.execute(
          trx,
        );
        expect(rows).toEqual([{ owner_id: ann }, { owner_id: ann }, { owner_id: bob }]);
      }
    }));
});
