import { transact, type Trx } from '@svc/db';
import { describeDatabases, type TestDatabase } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import {
  isolateByTenant,
  lintTenancy,
  type LintTenancyOptions,
  tenantTables,
} from '../src/index.ts';
import { tenancyMigrations } from '../src/migrations.ts';

const clean = {
  schema: 'app',
  steps: [
    {
      name: '0001_tables',
      up: [
        `create table app.projects (tenant_id uuid not null, id uuid not null, slug text, primary key (tenant_id, id),
          unique (tenant_id, slug))`,
        ...isolateByTenant('app.projects').up,
        `create table app.tasks (tenant_id uuid not null, id uuid not null, project_id uuid, primary key (id, tenant_id),
          foreign key (tenant_id, project_id) references app.projects (tenant_id, id))`,
        ...isolateByTenant('app.tasks', { index: true, system: true }).up,
        `create table app.words (tenant_id text not null, word text not null, primary key (tenant_id, word))`,
        ...isolateByTenant('app.words', { type: 'text' }).up,
        `create table app.numbers (tenant_id bigint primary key)`,
        ...isolateByTenant('app.numbers', { type: 'bigint' }).up,
        `create table app.colours (name text primary key)`,
        `create view app.names with (security_invoker = true) as select slug from app.projects`,
        `create view app.shades as select name from app.colours`,
      ],
      down: [],
    },
  ],
};

class Undone extends Error {}

/** The findings with a fault planted, which is undone afterwards. */
async function findings(
  database: TestDatabase,
  faults: readonly string[],
  options: LintTenancyOptions = {},
) {
  let found: Awaited<ReturnType<typeof lintTenancy>> = [];
  await database
    .asOwner(async (trx: Trx) => {
      for (const fault of faults) await sql.raw(fault).execute(trx);
      found = await lintTenancy(trx, { appRole: 'svc_app', ...options });
      throw new Undone();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undone)) throw error;
    });
  return found.map(({ table, rule }) => [table, rule]);
}

const isolation = `(select nullif(current_setting('app.tenant_id', true), '')::uuid)`;
const policy = (using: string, check = using, more = '') => [
  `drop policy tenant_isolation on app.projects`,
  `create policy other on app.projects ${more} using (${using}) with check (${check})`,
];

describeDatabases('the linter of the catalogue', [tenancyMigrations, clean], (test) => {
  test('finds nothing where there is nothing', async ({ database, db }) => {
    expect(await lintTenancy(db)).toEqual([]);
    expect(await findings(database, [])).toEqual([]);
  });

  test.for<[string, string[], [string, string][]]>([
    [
      'security that is off',
      [`alter table app.projects disable row level security`],
      [['app.projects', 'row-security-off']],
    ],
    [
      'security that is not forced',
      [`alter table app.projects no force row level security`],
      [['app.projects', 'row-security-not-forced']],
    ],
    [
      'a policy that is missing',
      [`drop policy tenant_isolation on app.projects`],
      [['app.projects', 'policy-missing']],
    ],
    [
      'a policy that only restricts',
      [
        `drop policy tenant_isolation on app.projects`,
        `create policy p on app.projects as restrictive using (tenant_id = ${isolation})`,
      ],
      [['app.projects', 'policy-missing']],
    ],
    [
      'a policy that is read for every row',
      policy(`tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid`),
      [
        ['app.projects', 'policy-form'],
        ['app.projects', 'policy-too-wide'],
      ],
    ],
    [
      'a policy that throws where there is no tenant',
      policy(`tenant_id = (select current_setting('app.tenant_id')::uuid)`),
      [
        ['app.projects', 'policy-form'],
        ['app.projects', 'policy-too-wide'],
      ],
    ],
    [
      'a policy without a check',
      policy(`tenant_id = ${isolation}`, 'true'),
      [
        ['app.projects', 'policy-form'],
        ['app.projects', 'policy-too-wide'],
      ],
    ],
    [
      'a policy for reading only',
      [
        `drop policy tenant_isolation on app.projects`,
        `create policy p on app.projects for select using (tenant_id = ${isolation})`,
      ],
      [
        ['app.projects', 'policy-form'],
        ['app.projects', 'policy-too-wide'],
      ],
    ],
    [
      'a policy for some roles',
      policy(`tenant_id = ${isolation}`, undefined, 'to svc_app'),
      [
        ['app.projects', 'policy-form'],
        ['app.projects', 'policy-too-wide'],
      ],
    ],
    [
      'a policy that another setting opens',
      policy(`tenant_id = ${isolation} or current_setting('app.debug', true) = 'on'`),
      [
        ['app.projects', 'policy-form'],
        ['app.projects', 'policy-too-wide'],
      ],
    ],
    [
      'a policy beside it',
      [`create policy all_of_it on app.projects for select using (true)`],
      [['app.projects', 'policy-too-wide']],
    ],
    [
      'a policy of the system with no check',
      [
        `create policy s on app.projects using ((select current_setting('app.tenancy', true) = 'system')) with check (true)`,
      ],
      [['app.projects', 'policy-too-wide']],
    ],
    [
      'a tenant that may be null',
      [
        `create table app.new (tenant_id uuid, id uuid)`,
        `create index on app.new (tenant_id)`,
        ...isolateByTenant('app.new').up,
      ],
      [['app.new', 'tenant-nullable']],
    ],
    [
      'no index that begins with the tenant',
      [
        `create table app.new (tenant_id uuid not null, id uuid, primary key (id, tenant_id))`,
        ...isolateByTenant('app.new').up,
      ],
      [['app.new', 'index-without-tenant']],
    ],
    [
      'an index for some rows only',
      [
        `create table app.new (tenant_id uuid not null, id uuid, primary key (id, tenant_id))`,
        `create index on app.new (tenant_id) where id is not null`,
        ...isolateByTenant('app.new').up,
      ],
      [['app.new', 'index-without-tenant']],
    ],
    [
      'a primary key without the tenant',
      [
        `create table app.new (tenant_id uuid not null, id uuid primary key)`,
        ...isolateByTenant('app.new', { index: true }).up,
      ],
      [['app.new', 'primary-key-without-tenant']],
    ],
    [
      'a primary key that only includes the tenant',
      [
        `create table app.new (tenant_id uuid not null, id uuid, primary key (id) include (tenant_id))`,
        ...isolateByTenant('app.new', { index: true }).up,
      ],
      [['app.new', 'primary-key-without-tenant']],
    ],
    [
      'a unique key without the tenant',
      [`create unique index on app.projects (slug)`],
      [['app.projects', 'unique-key-without-tenant']],
    ],
    [
      'a foreign key without the tenant',
      [
        `create unique index on app.projects (id)`,
        `alter table app.tasks add foreign key (project_id) references app.projects (id)`,
      ],
      [
        ['app.projects', 'unique-key-without-tenant'],
        ['app.tasks', 'foreign-key-without-tenant'],
      ],
    ],
    [
      'a foreign key whose tenant is another column',
      [
        `alter table app.tasks add column elsewhere uuid, add foreign key (elsewhere, project_id) references app.projects (tenant_id, id)`,
      ],
      [['app.tasks', 'foreign-key-without-tenant']],
    ],
    [
      'a table that refers to one and has no tenant',
      [
        `create table app.tags (t uuid, p uuid, foreign key (t, p) references app.projects (tenant_id, id))`,
      ],
      [['app.tags', 'tenant-column-missing']],
    ],
    [
      'a view with the rights of its owner',
      [`create view app.all_projects as select * from app.projects`],
      [['app.all_projects', 'view-not-invoker']],
    ],
    [
      'a view of a view',
      [`create view app.outer_names as select * from app.names`],
      [['app.outer_names', 'view-not-invoker']],
    ],
    [
      'a view in another schema',
      [`create view public.projects as select * from app.projects`],
      [['public.projects', 'view-not-invoker']],
    ],
    [
      'a materialized view',
      [`create materialized view app.copies as select * from app.projects`],
      [['app.copies', 'materialized-view']],
    ],
    [
      'a table that nobody isolated',
      [`create table app.new (tenant_id uuid not null primary key)`],
      [
        ['app.new', 'policy-missing'],
        ['app.new', 'row-security-not-forced'],
        ['app.new', 'row-security-off'],
      ],
    ],
    [
      'truncate',
      [`grant truncate on app.projects to svc_app`],
      [['app.projects', 'truncate-granted']],
    ],
    [
      'truncate for everybody',
      [`grant truncate on app.projects to public`],
      [['app.projects', 'truncate-granted']],
    ],
  ])('finds %s', async ([, faults, expected], { database }) => {
    expect(await findings(database, faults)).toEqual(expected);
  });

  test('finds functions that run as their owner over a tenant table', async ({ database }) => {
    const make = (body: string, more = '') =>
      `create function app.f() returns bigint language sql security definer ${more} ${body}`;
    const pinned = `set search_path = ''`;
    const rules = async (statement: string) =>
      (await findings(database, [statement])).map(([table, rule]) => `${table} ${rule}`);
    expect(await rules(make(`as 'select count(*) from app.projects'`, pinned))).toContain(
      'app.f definer-function',
    );
    expect(
      await rules(make(`begin atomic select count(*) from app.projects; end`, pinned)),
    ).toContain('app.f definer-function');
    expect(await rules(make(`as 'select 1::bigint'`))).toContain('app.f function-search-path');
    // PGlite's owner is a superuser, for whom no policy holds whatever the function reads.
    expect(await rules(make(`as 'select 1::bigint'`, pinned))).toEqual(
      database.engine === 'pglite' ? ['app.f definer-function'] : [],
    );
  });

  test('finds a role for which nothing of it holds', async ({ database, db }) => {
    const owner = await findings(database, [], {
      appRole: database.engine === 'pglite' ? 'postgres' : 'svc_owner',
    });
    if (database.engine === 'pglite') expect(owner).toEqual([['postgres', 'role-bypasses']]);
    else {
      expect(new Set(owner.map(([, rule]) => rule))).toEqual(new Set(['role-owns-table']));
      expect(await findings(database, [], { appRole: 'postgres' })).toEqual([
        ['postgres', 'role-bypasses'],
      ]);
    }
    await expect(lintTenancy(db, { appRole: 'nobody_at_all' })).rejects.toThrow('no such role');
  });

  test('finds a tenant table that the list lacks, and one that is only in the list', async ({
    database,
  }) => {
    const names = ['app.projects', 'app.words', 'app.numbers', 'svc_tenancy.usage'];
    expect(await findings(database, [], { tables: tenantTables([...names, 'app.tasks']) })).toEqual(
      [],
    );
    expect(await findings(database, [], { tables: tenantTables([...names, 'app.gone']) })).toEqual([
      ['app.gone', 'registered-table-missing'],
      ['app.tasks', 'table-not-registered'],
    ]);
  });

  test('looks at another column and at some schemas only, and leaves out what was weighed', async ({
    database,
  }) => {
    const fault = [`create table app.new (org_id uuid not null primary key)`];
    expect(await findings(database, fault)).toEqual([]);
    expect(
      (await findings(database, fault, { column: 'org_id' })).map(([table]) => table),
    ).toContain('app.new');
    expect(await findings(database, fault, { column: 'org_id', schemas: ['public'] })).toEqual([]);
    const slug = [`create unique index on app.projects (slug)`];
    const except = { table: 'app.projects', rule: 'unique-key-without-tenant' };
    expect(
      await findings(database, slug, { except: [{ ...except, why: 'a slug is public' }] }),
    ).toEqual([]);
    await expect(findings(database, slug, { except: [{ ...except, why: '' }] })).rejects.toThrow(
      'says why',
    );
  });

  test('leaves out the tables of a schema that keeps tenants apart by itself, and no way past others', async ({
    database,
  }) => {
    const faults = [
      'create schema elsewhere',
      'create table elsewhere.log (tenant_id uuid, id uuid primary key)',
      'create view elsewhere.everything as select * from app.projects',
      'alter table app.projects disable row level security',
    ];
    const except = [{ schema: 'elsewhere', why: 'it is a log' }];
    expect(await findings(database, faults, { except })).toEqual([
      ['app.projects', 'row-security-off'],
      ['elsewhere.everything', 'view-not-invoker'],
    ]);
    expect(await findings(database, faults)).toContainEqual(['elsewhere.log', 'row-security-off']);
    // What deletion would leave behind is no matter of who keeps tenants apart.
    const tables = tenantTables([
      ...['projects', 'tasks', 'words', 'numbers'].map((name) => `app.${name}`),
      'svc_tenancy.usage',
    ]);
    expect(await findings(database, faults, { except, tables })).toContainEqual([
      'elsewhere.log',
      'table-not-registered',
    ]);
  });

  test('says what to do', async ({ db }) => {
    await transact(db, async (trx) => {
      const [finding] = await lintTenancy(trx, { tables: tenantTables([]) });
      expect(finding).toEqual({
        table: 'app.numbers',
        rule: 'table-not-registered',
        message: expect.stringContaining('The list of tenant tables lacks it'),
        fix: `tenantTables([…, 'app.numbers'])`,
      });
    });
  });
});
