import type { Db } from '@svc/db';
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from 'kysely';
import { expect, test } from 'vitest';
import { tenantScope, tenantTables } from '../src/index.ts';
import { ann } from './two-tables.ts';

const bare: Db = new Kysely<unknown>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});
const over = (...names: Parameters<typeof tenantTables>[0]) =>
  bare.withPlugin(tenantScope({ tenantId: ann, tables: tenantTables(names) }));
const held = (query: string) => query.split('"tenant_id" = ').length - 1;

test('a name without a schema is a table of public, or is refused where it could be another', () => {
  expect(held(over('projects').selectFrom('projects').selectAll().compile().sql)).toBe(1);
  expect(held(over('projects').selectFrom('public.projects').selectAll().compile().sql)).toBe(1);
  for (const db of [over('app.projects'), over('app.projects', 'projects')])
    expect(() => db.selectFrom('projects').selectAll().compile()).toThrow('write schema.projects');
  expect(held(over('app.projects').selectFrom('other.projects').selectAll().compile().sql)).toBe(0);
});

test('a common table expression hides a table from those after it only, and from itself when recursive', () => {
  const db = over('projects');
  const once = db
    .with('projects', (d) => d.selectFrom('projects').selectAll())
    .selectFrom('projects')
    .selectAll();
  expect(held(once.compile().sql)).toBe(1);
  const later = db
    .with('first', (d) => d.selectFrom('projects').selectAll())
    .with('projects', (d) => d.selectFrom('first').selectAll())
    .selectFrom('projects')
    .selectAll();
  expect(held(later.compile().sql)).toBe(1);
  const recursive = db
    .withRecursive('projects', (d) => d.selectFrom('projects').selectAll())
    .selectFrom('projects')
    .selectAll();
  expect(held(recursive.compile().sql)).toBe(0);
  const hidden = bare
    .with('projects', (d) => d.selectFrom('public.projects').selectAll())
    .selectFrom('projects')
    .selectAll()
    .as('p');
  const inner = db
    .selectFrom(hidden)
    .innerJoin('projects as q', (join) => join.onTrue())
    .selectAll();
  expect(held(inner.compile().sql)).toBe(2);
});

test('the column may differ from table to table, and a column of the same name elsewhere is free', () => {
  const db = over('app.projects', { table: 'app.members', column: 'org_id' });
  const { sql: text } = db
    .selectFrom('app.projects as p')
    .innerJoin('app.members as m', 'm.project_id', 'p.id')
    .selectAll()
    .compile();
  expect(text).toContain('"m"."org_id" = ');
  expect(text).toContain('"p"."tenant_id" = ');
  expect(() => db.updateTable('app.members').set({ org_id: ann }).compile()).toThrow(
    'stays with its tenant',
  );
  expect(db.updateTable('app.other').set({ tenant_id: ann }).compile().sql).toBe(
    'update "app"."other" set "tenant_id" = $1',
  );
});

test('raw SQL may qualify columns and name tables of other schemas', () => {
  const db = over('app.projects');
  for (const query of [
    sql`select 1`,
    sql`select projects.name, "projects"."name" from other.projects`,
    sql`select ${sql.ref('projects.name')} from app.projects_archive`,
    sql`select count(*) from my_projects`,
  ])
    expect(query.compile(db).sql).toContain('select');
  for (const query of [
    sql`select 1 from other.x, projects`,
    sql`select * from app.projects`,
    sql`select * from App.PROJECTS p`,
    sql`delete from only "app"."projects"`,
    sql`select * from U&"\\0061pp".x`,
  ])
    expect(() => query.compile(db)).toThrow('the tenant scope refuses');
});

test('a value that looks like a part of a statement is a value', () => {
  const like = {
    kind: 'TableNode',
    table: {
      kind: 'SchemableIdentifierNode',
      identifier: { kind: 'IdentifierNode', name: 'projects' },
    },
  };
  const query = over('app.projects')
    .insertInto('app.projects')
    .values({ id: 1, data: like, list: [like] });
  expect(query.compile().parameters).toContain(like);
});

test('without a list of tables every statement is let through', () => {
  const db = over();
  expect(sql`select * from app.projects`.compile(db).sql).toBe('select * from app.projects');
  expect(db.selectFrom('app.projects').selectAll().compile().sql).toBe(
    'select * from "app"."projects"',
  );
});
