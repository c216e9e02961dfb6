import type { Kysely } from 'kysely';
import { ann, bob, canaryOf, project, type Run, type Tables } from './two-tables.ts';

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
