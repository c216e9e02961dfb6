import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@svc/db';
import { startPostgres } from '@svc/db/testing';
import { expect, test } from 'vitest';
import { databasePerTenant } from './database-per-tenant.ts';
import { tenantTables } from '../src/index.ts';
import { createProjects, keepsApart, projectMigrations } from './projects.ts';
import { uuid } from './two-tables.ts';

const [one, other, third] = [uuid(1), uuid(2), uuid(3)];
const nameOf = (tenantId: string) => `tenant_${tenantId.replaceAll('-', '')}`;

test('the same code runs on a database for each tenant, and few of them are kept open', async () => {
  await using server = await startPostgres();
  const databases = new Map<string, { url: string; ownerUrl: string }>();
  const isolation = databasePerTenant({
    tables: tenantTables(['app.projects', 'app.tasks'], { directory: false }),
    migrations: [projectMigrations()],
    appRole: 'svc_app',
    openMax: 1,
    async locate(tenantId) {
      const urls = databases.get(tenantId) ?? (await server.createDatabase(nameOf(tenantId)));
      databases.set(tenantId, urls);
      return urls;
    },
  });
  await keepsApart(isolation, [one, other], uuid(10));
  expect(databases.size).toBe(2);

  await using direct = await connect(databases.get(other)?.ownerUrl as string, { poolSize: 1 });
  expect(await direct.db.selectFrom('app.projects').selectAll().execute()).toEqual([]);

  // Many at once, over more databases than are kept open.
  await isolation.provision(third);
  const projects = createProjects(isolation);
  const tenants = Array.from(
    { length: 30 },
    (_, index) => [one, other, third][index % 3] as string,
  );
  await Promise.all(
    tenants.map((tenantId, index) => projects.create(tenantId, uuid(100 + index), tenantId)),
  );
  for (const tenantId of [one, other, third]) {
    const names = (await projects.list(tenantId))
      .map(({ name }) => name)
      .filter((name) => name !== 'apollo');
    expect(names).toEqual(Array.from({ length: 10 }, () => tenantId));
  }
  await isolation.close();
});

test('the recipe is what was tested', () => {
  const read = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8');
  expect(read('../../../docs/recipes/database-per-tenant.md')).toContain(
    read('database-per-tenant.ts'),
  );
});
