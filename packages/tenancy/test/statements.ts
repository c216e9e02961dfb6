import { type Kysely, sql } from 'kysely';
import { ann, bob, canaryOf, type Tables, uuid } from './two-tables.ts';

export type Run = (db: Kysely<Tables>) => Promise<unknown>;

const project = (more: object = {}) => ({
  tenant_id: ann,
  id: uuid(500),
  name: 'new',
  canary: canaryOf(ann),
  rank: 1,
  ...more,
});

/** What the scope understands. Each gives rows, and would reach or change another tenant's without a layer. */
export const understood: readonly (readonly [string, Run])[] = [
  ['select', (db) => db.selectFrom('app.projects').selectAll().execute()],
  ['alias', (db) => db.selectFrom('app.projects as p').selectAll('p').execute()],
  [
    'or',
    (db) =>
      db
        .selectFrom('app.projects')
        .selectAll()
        .where('rank', '=', 1)
        .where((eb) => eb.or([eb('rank', '=', 1), eb('rank', '>', 0)]))
        .execute(),
  ],
  [
    'or in raw SQL',
    (db) =>
      db
        .selectFrom('app.projects')
        .selectAll()
        .where(sql<boolean>`rank = 1 or true`)
        .execute(),
  ],
  [
    'order and limit',
    (db) =>
      db.selectFrom('app.projects').selectAll().orderBy('tenant_id', 'desc').limit(1).execute(),
  ],
  [
    'inner join',
    (db) =>
      db
        .selectFrom('app.projects as p')
        .innerJoin('app.tasks as t', 't.project_id', 'p.id')
        .selectAll()
        .execute(),
  ],
  [
    'left join',
    (db) =>
      db
        .selectFrom('app.projects as p')
        .leftJoin('app.tasks as t', 't.project_id', 'p.id')
        .select(['p.canary', 't.canary as other'])
        .execute(),
  ],
  [
    'left join from a table of nobody',
    (db) =>
      db
        .selectFrom('app.colours as c')
        .leftJoin('app.tasks as t', (join) => join.onTrue())
        .selectAll()
        .execute(),
  ],
  [
    'right join of tables of nobody',
    (db) =>
      db
        .selectFrom('app.colours as c')
        .rightJoin('app.colours as d', 'c.name', 'd.name')
        .select((eb) => [
          'd.name',
          eb
            .selectFrom('app.projects')
            .select('canary')
            .orderBy('tenant_id', 'desc')
            .limit(1)
            .as('canary'),
        ])
        .execute(),
  ],
  [
    'lateral join',
    (db) =>
      db
        .selectFrom('app.projects as p')
        .innerJoinLateral(
          (eb) =>
            eb
              .selectFrom('app.tasks')
              .whereRef('app.tasks.project_id', '=', 'p.id')
              .selectAll()
              .as('t'),
          (join) => join.onTrue(),
        )
        .select(['p.canary', 't.canary as other'])
        .execute(),
  ],
  [
    'two tables side by side',
    (db) =>
      db
        .selectFrom(['app.projects as p', 'app.tasks as t'])
        .select(['p.canary', 't.canary as other'])
        .execute(),
  ],
  [
    'subquery in from',
    (db) =>
      db
        .selectFrom((eb) => eb.selectFrom('app.projects').selectAll().as('p'))
        .selectAll()
        .execute(),
  ],
  [
    'subquery in select',
    (db) =>
      db
        .selectFrom('app.colours')
        .select((eb) =>
          eb
            .selectFrom('app.projects')
            .select(sql<string>`string_agg(canary, ',')`.as('x'))
            .as('all'),
        )
        .execute(),
  ],
  [
    'subquery in where',
    (db) =>
      db
        .selectFrom('app.tasks as t')
        .selectAll()
        .where((eb) =>
          eb.exists(
            eb.selectFrom('app.projects as p').select('p.id').whereRef('p.id', '=', 't.project_id'),
          ),
        )
        .execute(),
  ],
  [
    'in',
    (db) =>
      db
        .selectFrom('app.tasks')
        .selectAll()
        .where('project_id', 'in', (eb) => eb.selectFrom('app.projects').select('id'))
        .execute(),
  ],
  [
    'common table expression',
    (db) =>
      db
        .with('p', (d) => d.selectFrom('app.projects').selectAll())
        .selectFrom('p')
        .selectAll()
        .execute(),
  ],
  [
    'common table expression with the name of a table',
    (db) =>
      db
        .with('projects', (d) => d.selectFrom('app.projects').selectAll())
        .selectFrom('projects')
        .selectAll()
        .execute(),
  ],
  [
    'recursive',
    (db) =>
      db
        .withRecursive('r', (d) =>
          d
            .selectFrom('app.projects')
            .select(['id', 'canary'])
            .unionAll(
              d
                .selectFrom('r')
                .innerJoin('app.projects as p', (join) => join.on(sql<boolean>`false`))
                .select(['p.id', 'p.canary']),
            ),
        )
        .selectFrom('r')
        .selectAll()
        .execute(),
  ],
  [
    'union',
    (db) =>
      db
        .selectFrom('app.projects')
        .select('canary')
        .unionAll(db.selectFrom('app.tasks').select('canary'))
        .execute(),
  ],
  [
    'except',
    (db) =>
      db
        .selectFrom('app.projects')
        .select(['canary', 'tenant_id'])
        .except(db.selectFrom('app.projects').select(['canary', 'tenant_id']).where('rank', '>', 5))
        .execute(),
  ],
  [
    'aggregate',
    (db) =>
      db
        .selectFrom('app.projects')
        .select((eb) => [eb.fn.agg<string>('string_agg', ['canary', sql.lit(',')]).as('all')])
        .execute(),
  ],
  [
    'row as JSON',
    (db) =>
      db
        .selectFrom('app.projects as p')
        .select((eb) => eb.fn.toJson('p').as('row'))
        .execute(),
  ],
  ['for update', (db) => db.selectFrom('app.projects as p').selectAll().forUpdate('p').execute()],
  [
    'qualified by the whole name',
    (db) =>
      db
        .selectFrom('app.projects')
        .select(['app.projects.canary', 'app.projects.id'])
        .where('app.projects.rank', '>', 0)
        .execute(),
  ],
  [
    'raw expression of a column',
    (db) =>
      db
        .selectFrom('app.projects')
        .select(sql<string>`projects.canary || ''`.as('canary'))
        .execute(),
  ],
  [
    'with the schema apart',
    (db) =>
      (db.withSchema('app') as unknown as Kysely<{ projects: Tables['app.projects'] }>)
        .selectFrom('projects')
        .selectAll()
        .execute(),
  ],
  [
    'insert',
    (db) =>
      db
        .insertInto('app.projects')
        .values([project(), project({ id: uuid(501), name: 'other' })])
        .returningAll()
        .execute(),
  ],
  [
    'insert without the tenant',
    (db) =>
      db
        .insertInto('app.projects')
        .values(project({ tenant_id: undefined }) as never)
        .returningAll()
        .execute(),
  ],
  [
    'insert of expressions',
    (db) =>
      db
        .insertInto('app.projects')
        .values(project({ rank: sql<number>`1 + 1` }))
        .returningAll()
        .execute(),
  ],
  [
    'on conflict with a row of its own',
    (db) =>
      db
        .insertInto('app.projects')
        .values(project({ id: uuid(101) }))
        .onConflict((oc) => oc.columns(['tenant_id', 'id']).doUpdateSet({ rank: 9 }))
        .returningAll()
        .execute(),
  ],
  ['update', (db) => db.updateTable('app.projects').set({ rank: 99 }).returningAll().execute()],
  [
    'update of an alias',
    (db) =>
      db
        .updateTable('app.projects as p')
        .set({ rank: 99 })
        .where('p.rank', '>', 0)
        .returningAll()
        .execute(),
  ],
  [
    'update from',
    (db) =>
      db
        .updateTable('app.tasks as t')
        .from('app.projects as p')
        .set((eb) => ({ title: eb.ref('p.canary') }))
        .whereRef('p.id', '=', 't.project_id')
        .returningAll()
        .execute(),
  ],
  [
    'update with a subquery',
    (db) =>
      db
        .updateTable('app.tasks')
        .set((eb) => ({
          title: eb
            .selectFrom('app.projects')
            .select('canary')
            .orderBy('tenant_id', 'desc')
            .limit(1),
        }))
        .returningAll()
        .execute(),
  ],
  ['delete', (db) => db.deleteFrom('app.tasks').returningAll().execute()],
  [
    'delete using',
    (db) =>
      db
        .deleteFrom('app.tasks')
        .using('app.projects as p')
        .whereRef('p.id', '=', 'app.tasks.project_id')
        .returning(['p.canary', 'app.tasks.canary as other'])
        .execute(),
  ],
  [
    'changes in common table expressions',
    (db) =>
      db
        .with('gone', (d) => d.deleteFrom('app.tasks').returningAll())
        .with('moved', (d) => d.updateTable('app.projects').set({ rank: 7 }).returning('canary'))
        .selectFrom(['gone', 'moved'])
        .select(['gone.canary', 'moved.canary as other'])
        .execute(),
  ],
];

/** Understood, and without a row for the tenant. */
export const without: readonly (readonly [string, Run])[] = [
  [
    'an id of another tenant',
    (db) => db.selectFrom('app.projects').selectAll().where('tenant_id', '=', bob).execute(),
  ],
  [
    'an update of another tenant',
    (db) =>
      db
        .updateTable('app.projects')
        .set({ rank: 99 })
        .where('tenant_id', '=', bob)
        .returningAll()
        .execute(),
  ],
  [
    'a delete of another tenant',
    (db) =>
      db
        .deleteFrom('app.tasks')
        .where((eb) => eb.or([eb('tenant_id', '=', bob), eb('canary', '=', canaryOf(bob))]))
        .returningAll()
        .execute(),
  ],
  [
    'whether another tenant has something',
    (db) =>
      db
        .selectFrom('app.colours')
        .selectAll()
        .where((eb) =>
          eb.exists(eb.selectFrom('app.projects').select('id').where('canary', '=', canaryOf(bob))),
        )
        .execute(),
  ],
  [
    'a condition that none of its rows meets',
    (db) =>
      db.selectFrom('app.projects').selectAll().where('canary', '!=', canaryOf(ann)).execute(),
  ],
];

const clash = (db: Kysely<Tables>) =>
  db.insertInto('app.projects').values(project({ name: `p1 of ${bob}` }));

/** Row-level security refuses some of it; the scope lets it meet no row. */
export const clashes: readonly (readonly [string, Run])[] = [
  [
    'an upsert onto a row of another tenant',
    (db) =>
      clash(db)
        .onConflict((oc) => oc.column('name').doUpdateSet({ rank: 99 }))
        .returningAll()
        .execute(),
  ],
  [
    'an upsert that looks at the row in the way',
    (db) =>
      clash(db)
        .onConflict((oc) =>
          oc
            .column('name')
            .doUpdateSet((eb) => ({ canary: eb.ref('excluded.canary') }))
            .where((eb) => eb.or([eb('app.projects.rank', '>', 0), eb.lit(true)])),
        )
        .returningAll()
        .execute(),
  ],
  [
    'an insert that yields',
    (db) =>
      clash(db)
        .onConflict((oc) => oc.column('name').doNothing())
        .returningAll()
        .execute(),
  ],
];

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
