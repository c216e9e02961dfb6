import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { uuidv7 } from '@svc/core';
import { type Db, transact } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { isolateByTenant, tenantTables } from '@svc/tenancy';
import { tenancyMigrations } from '@svc/tenancy/migrations';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { createProject } from './project.ts';

const migrations = {
  schema: 'app',
  steps: [
    {
      name: '0001_projects',
      up: [
        `create table app.projects (tenant_id uuid not null, id uuid not null, name text not null, budget numeric,
          token text, primary key (tenant_id, id))`,
        ...isolateByTenant('app.projects').up,
        `create table app.orgs_notes (org_id uuid not null, note text)`,
      ],
      down: [],
    },
  ],
};
const test = databaseTest([tenancyMigrations, migrations]);

const tables = tenantTables([{ table: 'app.projects', omit: ['token'] }, 'svc_tenancy.usage']);
const configFor = (url: string) => `export default {
  database: () => ({ url: ${JSON.stringify(url)} }),
  tenants: {
    tables: ${JSON.stringify(tables)},
    audit: (db) => async ({ type, tenantId, details }) => void (await db.insertInto('app.orgs_notes').values({ org_id: tenantId, note: [type, details?.table].join(' ') }).execute()),
  },
}`;

async function fill(db: Db, tenantId: string, names: readonly string[]): Promise<void> {
  await transact(
    db,
    async (trx) => {
      for (const name of names)
        await sql`insert into app.projects values (${tenantId}, ${uuidv7()}, ${name}, 1.50, 'secret')`.execute(
          trx,
        );
      await sql`insert into app.orgs_notes values (${tenantId}, 'a note')`.execute(trx);
    },
    { settings: { 'app.tenant_id': tenantId } },
  );
}

const lines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

async function audited(db: Db, tenantId: string): Promise<string[]> {
  const { rows } = await sql<{ note: string }>`select note from app.orgs_notes
    where org_id = ${tenantId} and note like 'tenancy.%' order by note`.execute(db);
  return rows.map(({ note }) => note);
}

test('one table goes to the standard output, or to a new file: only rows of the tenant, no secret, audited', async ({
  db,
  database,
}) => {
  const [acme, other] = [uuidv7(), uuidv7()];
  await fill(db, acme, ['one', 'two', 'three']);
  await fill(db, other, ['not theirs']);
  await using project = await createProject({
    'svc.config.mjs': configFor(database.urls?.url as string),
  });
  const run = (...more: string[]) =>
    project.run('tenants', 'export', 'app.projects', '--tenant-id', acme, ...more);
  const { exitCode, stdout, stderr } = await run();
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(lines(stdout)).toEqual(
    ['one', 'two', 'three'].map((name) => ({
      tenant_id: acme,
      id: expect.any(String),
      name,
      budget: '1.50',
    })),
  );
  expect(lines((await run('--limit', '2')).stdout)).toHaveLength(2);
  // Rows and an answer would be one on top of the other.
  expect(await run('--json')).toMatchObject({ exitCode: 2 });
  expect(await run('--output', 'rows.ndjson', '--json')).toMatchObject({
    exitCode: 0,
    stdout: '{"ok":true,"table":"app.projects","rows":3}\n',
  });
  const file = join(project.folder, 'rows.ndjson');
  expect(await readFile(file, 'utf8')).toBe(stdout);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await audited(db, acme)).toEqual(
    Array.from({ length: 3 }, () => 'tenancy.tenant.exported app.projects'),
  );
  expect(await run('--output', 'rows.ndjson')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('is there already'),
  });
});

test('one table needs no config where the database is told', async ({ db, database }) => {
  const acme = uuidv7();
  await fill(db, acme, ['one']);
  await using project = await createProject();
  const url = database.urls?.url as string;
  const argv = ['tenants', 'export', 'app.orgs_notes', '--tenant-id', acme];
  expect(await project.run(...argv)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('which database?'),
  });
  const field = ['--tenant-field', 'org_id', '--database-url', url];
  const { exitCode, stdout } = await project.run(...argv, ...field);
  expect({ exitCode, rows: lines(stdout) }).toEqual({
    exitCode: 0,
    rows: [{ org_id: acme, note: 'a note' }],
  });
  const failed = await project.run(...argv, '--database-url', url);
  expect(failed).toMatchObject({ exitCode: 1, stdout: '' });
  expect(failed.stderr).toContain('no table app.orgs_notes with the column tenant_id');
  const password = new URL(url).password;
  const away = await project.run(
    ...argv,
    '--database-url',
    `postgres://a:${password}@127.0.0.1:1/x`,
  );
  expect(away).toMatchObject({ exitCode: 1, stdout: '' });
  expect(away.stderr).not.toContain(password);
});

test('a tenant goes to a folder and comes back, audited', async ({ db, database }) => {
  const [acme, target] = [uuidv7(), uuidv7()];
  await fill(db, acme, ['one', 'two']);
  await using project = await createProject({
    'svc.config.mjs': configFor(database.urls?.url as string),
  });
  const exported = await project.run('tenants', 'export', '--tenant-id', acme, '--output', 'acme');
  expect(exported).toMatchObject({ exitCode: 0, stderr: '' });
  expect(exported.stdout).toContain('exported app.projects: 2 rows\n');
  expect(await readdir(join(project.folder, 'acme'))).toContain('manifest.json');
  const restore = (...more: string[]) => project.run('tenants', 'import', 'acme', ...more);
  expect(await restore()).toMatchObject({
    exitCode: 1,
    stderr: 'svc: This tenant has data already.\n',
  });
  expect(await restore('--tenant-id', target)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('it is of another tenant'),
  });
  const done = await restore('--tenant-id', target, '--from', acme, '--json');
  expect(JSON.parse(done.stdout)).toEqual({ ok: true, tenantId: target, rows: 2 });
  expect(await audited(db, acme)).toEqual(['tenancy.tenant.exported ']);
  expect(await audited(db, target)).toEqual(['tenancy.tenant.imported ']);
  await writeFile(join(project.folder, 'acme', 'app.projects.ndjson'), '{}\n');
  expect(await restore('--tenant-id', uuidv7(), '--from', acme)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('app.projects.ndjson is not the one that was exported'),
  });
});

test.for([
  [['export', 'app.projects'], '--tenant-id'],
  [['export', '--tenant-id', 'x'], '--output'],
  [['export', '--tenant-id', 'x', '--output', 'y', '--limit', '2'], 'for one TABLE'],
  [['export', 'a.b', '--tenant-id', 'x', '--limit', '0'], '--limit'],
  [['export', '--tenant-id', 'x', '--output', 'y'], 'the config has no tenants.tables'],
  [['import'], 'which folder?'],
  [['import', 'x'], 'the config has no tenants.tables'],
] as const)('svc tenants %j is a wrong call: exit code 2', async ([argv, message]) => {
  await using project = await createProject({
    'svc.config.mjs': `export default { database: () => ({ url: 'pglite://memory' }) }`,
  });
  const { exitCode, stdout, stderr } = await project.run('tenants', ...argv);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toContain(message);
});
