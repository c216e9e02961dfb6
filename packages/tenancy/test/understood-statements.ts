import { type Kysely, sql } from 'kysely';
import { project, type Run, type Tables, uuid } from './two-tables.ts';

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
