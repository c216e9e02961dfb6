import type { Db, Migrations } from '@svc/db';
import { type Kysely, sql } from 'kysely';
import { expect } from 'vitest';
import { isolateByTenant, type TenantIsolation, tenantTables } from '../src/index.ts';

interface Tables {
  'app.projects': { tenant_id: string; id: string; name: string };
  'app.tasks': { tenant_id: string; id: string; project_id: string; title: string };
}

export const tables = tenantTables(['app.projects', 'app.tasks']);

/** The tables of an app, in the schema that all tenants share or in that of one. */
export const projectMigrations = (schema = 'app'): Migrations => ({
  schema,
  steps: [
    {
      name: '0001_projects',
      up: [
        `create table ${schema}.projects (tenant_id uuid not null, id uuid not null, name text not null,
          primary key (tenant_id, id))`,
        ...isolateByTenant(`${schema}.projects`).up,
      ],
      down: [`drop table ${schema}.projects`],
    },
    {
      name: '0002_tasks',
      up: [
        `create table ${schema}.tasks (tenant_id uuid not null, id uuid not null, project_id uuid not null,
          title text not null, primary key (tenant_id, id),
          foreign key (tenant_id, project_id) references ${schema}.projects (tenant_id, id) on delete cascade)`,
        ...isolateByTenant(`${schema}.tasks`).up,
      ],
      down: [`drop table ${schema}.tasks`],
    },
  ],
});

const typed = (db: Db): Kysely<Tables> => db;

/** An app's code, which does not know where the rows of a tenant live. */
export function createProjects(isolation: TenantIsolation) {
  const within = <T>(tenantId: string, fn: (trx: Kysely<Tables>) => Promise<T>) =>
    isolation.within(tenantId, (trx) => fn(typed(trx)));
  return {
    create: (tenantId: string, id: string, name: string) =>
      within(tenantId, async (trx) => {
        // The tenant is set for us.
        await trx
          .insertInto('app.projects')
          .values({ id, name } as never)
          .execute();
        await trx
          .insertInto('app.tasks')
          .values({ id, project_id: id, title: `do ${name}` } as never)
          .execute();
      }),
    rename: (tenantId: string, id: string, name: string) =>
      within(tenantId, (trx) =>
        trx
          .updateTable('app.projects as p')
          .set({ name })
          .where('p.id', '=', id)
          .returning('p.name')
          .execute(),
      ),
    list: (tenantId: string) =>
      within(tenantId, (trx) =>
        trx
          .selectFrom('app.projects')
          .innerJoin('app.tasks as t', 't.project_id', 'app.projects.id')
          .select([
            'app.projects.tenant_id',
            'app.projects.name',
            't.title',
            sql<string>`upper(projects.name)`.as('loud'),
          ])
          .orderBy('app.projects.name')
          .execute(),
      ),
    remove: (tenantId: string, id: string) =>
      within(tenantId, (trx) =>
        trx.deleteFrom('app.projects').where('id', '=', id).returning('id').execute(),
      ),
  };
}

/** What holds wherever the rows live: two tenants with the same ids see, change and remove only their own. */
export async function keepsApart(
  isolation: TenantIsolation,
  [one, other]: readonly [string, string],
  id: string,
): Promise<void> {
  await isolation.provision(one);
  await isolation.provision(one);
  await isolation.provision(other);
  const projects = createProjects(isolation);
  await projects.create(one, id, 'apollo');
  await projects.create(other, id, 'gemini');
  expect(await projects.list(one)).toEqual([
    { tenant_id: one, name: 'apollo', title: 'do apollo', loud: 'APOLLO' },
  ]);
  expect(await projects.rename(other, id, 'titan')).toEqual([{ name: 'titan' }]);
  expect((await projects.list(one)).map(({ name }) => name)).toEqual(['apollo']);
  expect(await projects.remove(other, id)).toEqual([{ id }]);
  expect(await projects.list(other)).toEqual([]);
  expect(await projects.list(one)).toHaveLength(1);
  await expect(
    isolation.within(one, (trx) => isolation.within(other, async () => {}, { within: trx })),
  ).rejects.toThrow(TypeError);
  const nested = await isolation.within(one, (trx) =>
    isolation.within(one, (inner) => inner.selectFrom('app.projects').select('name').execute(), {
      within: trx,
    }),
  );
  expect(nested).toEqual([{ name: 'apollo' }]);
}
