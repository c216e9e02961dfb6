import { sql } from 'kysely';
import { ann, bob, project, type Run, uuid } from './two-tables.ts';

/** What the scope refuses; row-level security has to hold it alone. */
export const refused: readonly (readonly [string, Run])[] = [
  [
    'right join',
    (db) =>
      db
        .selectFrom('app.colours as c')
        .rightJoin('app.tasks as t', (join) => join.onTrue())
        .selectAll()
        .execute(),
  ],
  [
    'right join from a tenant table',
    (db) =>
      db
        .selectFrom('app.tasks as t')
        .rightJoin('app.colours as c', (join) => join.onTrue())
        .selectAll()
        .execute(),
  ],
  [
    'full join',
    (db) =>
      db
        .selectFrom('app.projects as p')
        .fullJoin('app.tasks as t', 't.id', 'p.id')
        .selectAll()
        .execute(),
  ],
  [
    'cross join',
    (db) => db.selectFrom('app.colours as c').crossJoin('app.tasks as t').selectAll().execute(),
  ],
  [
    'merge',
    (db) =>
      db
        .mergeInto('app.projects as p')
        .using('app.tasks as t', 't.project_id', 'p.id')
        .whenMatched()
        .thenUpdateSet({ rank: 5 })
        .execute(),
  ],
  [
    'insert from a query',
    (db) =>
      db
        .insertInto('app.projects')
        .columns(['tenant_id', 'id', 'name', 'canary'])
        .expression((eb) =>
          eb
            .selectFrom('app.tasks')
            .select(['tenant_id', 'id', sql<string>`'copy ' || id`.as('name'), 'canary']),
        )
        .returningAll()
        .execute(),
  ],
  ['insert of defaults', (db) => db.insertInto('app.projects').defaultValues().execute()],
  [
    'insert for another tenant',
    (db) =>
      db
        .insertInto('app.projects')
        .values(project({ tenant_id: bob }))
        .execute(),
  ],
  [
    'insert with one row for another tenant',
    (db) =>
      db
        .insertInto('app.projects')
        .values([project(), project({ tenant_id: bob, id: uuid(501), name: 'x' })])
        .execute(),
  ],
  [
    'insert for a tenant by expression',
    (db) =>
      db
        .insertInto('app.projects')
        .values(project({ tenant_id: sql`${bob}` }))
        .execute(),
  ],
  ['moving a row', (db) => db.updateTable('app.projects').set({ tenant_id: bob }).execute()],
  [
    'moving a row by a conflict',
    (db) =>
      db
        .insertInto('app.projects')
        .values(project({ id: uuid(101) }))
        .onConflict((oc) => oc.columns(['tenant_id', 'id']).doUpdateSet({ tenant_id: bob }))
        .execute(),
  ],
  ['raw SQL', (db) => sql`select * from app.projects`.execute(db)],
  ['raw SQL, otherwise written', (db) => sql`SELECT * FROM "app" . "projects" AS p`.execute(db)],
  ['raw SQL with sql.table', (db) => sql`select * from ${sql.table('app.projects')}`.execute(db)],
  ['raw SQL with sql.id', (db) => sql`select * from ${sql.id('app', 'projects')}`.execute(db)],
  ['raw SQL with sql.ref', (db) => sql`select * from ${sql.ref('app.projects')}`.execute(db)],
  [
    'raw SQL put together',
    (db) => sql`select * from app.${sql.raw('pro')}${sql.raw('jects')}`.execute(db),
  ],
  [
    'raw SQL in from',
    (db) =>
      db
        .selectFrom(sql<{ canary: string }>`(select * from app.projects)`.as('p'))
        .selectAll()
        .execute(),
  ],
  [
    'raw SQL in where',
    (db) =>
      db
        .selectFrom('app.colours')
        .selectAll()
        .where(sql<boolean>`exists (select from app.projects where tenant_id <> ${ann})`)
        .execute(),
  ],
  ['raw SQL with table', (db) => sql`table app.projects`.execute(db)],
];

/** What would undo the other layer. */
export const escapes: readonly (readonly [string, Run])[] = [
  ['another tenant', (db) => sql`select set_config('app.tenant_id', ${bob}, true)`.execute(db)],
  ['another tenant by set', (db) => sql`set local app.tenant_id = '${sql.raw(bob)}'`.execute(db)],
  [
    'another tenant by a parameter',
    (db) => sql`select set_config(${'app.tenant_id'}, ${bob}, true)`.execute(db),
  ],
  [
    'another tenant by a function',
    (db) =>
      db
        .selectNoFrom((eb) =>
          eb.fn('set_config', [eb.val('app.tenant_id'), eb.val(bob), eb.val(true)]).as('x'),
        )
        .execute(),
  ],
  ['the system', (db) => sql`set local app.tenancy = 'system'`.execute(db)],
  ['another role', (db) => sql`reset role`.execute(db)],
  ['no row-level security', (db) => sql`set local row_security = off`.execute(db)],
  [
    'a change of the schema',
    (db) => db.schema.alterTable('app.projects').dropColumn('tenant_id').execute(),
  ],
  [
    'a copy of a table',
    (db) =>
      db.schema
        .createTable('copy')
        .temporary()
        .as(db.selectFrom('app.projects').selectAll())
        .execute(),
  ],
];
