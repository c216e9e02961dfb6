import type { Db, Migrations, Trx } from '@svc/db';
import { transact } from '@svc/db';
import type { TestDatabase } from '@svc/db/testing';
import { type Kysely, sql } from 'kysely';
import { isolateByTenant, tenantScope, tenantTables } from '../src/index.ts';

interface ProjectRow {
  tenant_id: string;
  id: string;
  name: string;
  /** Says whose it is, for a test that looks for what must not be there. */
  canary: string;
  rank: number;
}

interface TaskRow {
  tenant_id: string;
  id: string;
  project_id: string;
  title: string;
  canary: string;
}

export interface Tables {
  'app.projects': ProjectRow;
  'app.tasks': TaskRow;
  'app.colours': { name: string };
}

export const appMigrations: Migrations = {
  schema: 'app',
  steps: [
    {
      name: '0001_tables',
      up: [
        `create table app.projects (
          tenant_id uuid not null, id uuid not null, name text not null, canary text not null,
          rank integer not null default 0, primary key (tenant_id, id)
        )`,
        // Across tenants on purpose: where a key does not hold the tenant, nothing of another's may show or change.
        `create unique index projects_name_key on app.projects (name)`,
        ...isolateByTenant('app.projects').up,
        `create table app.tasks (
          tenant_id uuid not null, id uuid not null, project_id uuid not null, title text not null,
          canary text not null, primary key (tenant_id, id),
          foreign key (tenant_id, project_id) references app.projects (tenant_id, id) on delete cascade
        )`,
        ...isolateByTenant('app.tasks').up,
        `create table app.colours (name text primary key)`,
      ],
      down: [],
    },
  ],
};

export const tables = tenantTables(['app.projects', 'app.tasks']);

export const uuid = (n: number) => `0199c000-0000-7000-8000-${String(n).padStart(12, '0')}`;
export const [ann, bob, cem] = [uuid(1), uuid(2), uuid(3)];
export const canaryOf = (tenantId: string) => `canary-${tenantId}`;
export const typed = (db: Db): Kysely<Tables> => db;

/** Three projects and six tasks for each tenant, the same ids in all of them. */
export async function fill(trx: Trx, tenants: readonly string[] = [ann, bob, cem]): Promise<void> {
  await sql`insert into app.colours values ('red'), ('green') on conflict do nothing`.execute(trx);
  for (const tenantId of tenants) {
    await sql`select set_config('app.tenant_id', ${tenantId}, true)`.execute(trx);
    await typed(trx).insertInto('app.projects').values(projectsOf(tenantId)).execute();
    await typed(trx).insertInto('app.tasks').values(tasksOf(tenantId)).execute();
  }
}

const projectsOf = (tenantId: string) =>
  [1, 2, 3].map((n) => ({
    tenant_id: tenantId,
    id: uuid(100 + n),
    name: `p${n} of ${tenantId}`,
    canary: canaryOf(tenantId),
    rank: n,
  }));

const tasksOf = (tenantId: string) =>
  projectsOf(tenantId).flatMap((project, index) =>
    [1, 2].map((m) => ({
      tenant_id: tenantId,
      id: uuid(1000 + index * 10 + m),
      project_id: project.id,
      title: `t${m}`,
      canary: canaryOf(tenantId),
    })),
  );

export type Run = (db: Kysely<Tables>) => Promise<unknown>;

/** One more of Ann's. */
export const project = (more: object = {}) => ({
  tenant_id: ann,
  id: uuid(500),
  name: 'new',
  canary: canaryOf(ann),
  rank: 1,
  ...more,
});

class Undone extends Error {}

/** Runs `fn`, and undoes what it did. */
async function undone<T>(
  run: (fn: (trx: Trx) => Promise<never>) => Promise<never>,
  fn: (trx: Trx) => Promise<T>,
): Promise<T> {
  let result: T | undefined;
  await run(async (trx) => {
    result = await fn(trx);
    throw new Undone();
  }).catch((error: unknown) => {
    if (!(error instanceof Undone)) throw error;
  });
  return result as T;
}

export interface Outcome {
  readonly rows?: readonly unknown[];
  readonly error?: unknown;
}

/** A transaction held by one layer alone, and a look at what other tenants have in it. */
export interface OneLayer {
  /** What a statement gives or throws. */
  attempt(run: (db: Kysely<Tables>) => Promise<unknown>): Promise<Outcome>;
  rowsOf(tenantId: string): Promise<unknown[]>;
}

async function attempt(trx: Trx, run: (inner: Trx) => Promise<unknown>): Promise<Outcome> {
  try {
    const result = await transact(trx, run);
    return { rows: Array.isArray(result) ? result : (result as { rows: unknown[] }).rows };
  } catch (error) {
    return { error };
  }
}

const everything = async (trx: Trx, tenantId: string) => [
  ...(await typed(trx)
    .selectFrom('app.projects')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('id')
    .execute()),
  ...(await typed(trx)
    .selectFrom('app.tasks')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('id')
    .execute()),
];

/** The scope, with row-level security switched off; undone afterwards. */
export function scopeAlone<T>(
  database: TestDatabase,
  tenantId: string | null,
  fn: (layer: OneLayer) => Promise<T>,
): Promise<T> {
  return undone(database.asOwner, async (trx) => {
    await fill(trx);
    for (const table of ['app.projects', 'app.tasks'])
      await sql`alter table ${sql.table(table)} disable row level security`.execute(trx);
    return fn({
      attempt: (run) =>
        attempt(trx, (inner) => run(typed(inner.withPlugin(tenantScope({ tenantId, tables }))))),
      rowsOf: (other) => everything(trx, other),
    });
  });
}

/** Row-level security, without the scope, as the app's role; undone afterwards. */
export function securityAlone<T>(
  { db }: TestDatabase,
  tenantId: string | null,
  fn: (layer: OneLayer) => Promise<T>,
): Promise<T> {
  const become = (trx: Trx, id: string | null) =>
    sql`select set_config('app.tenant_id', ${id ?? ''}, true)`.execute(trx);
  return undone(
    (act) => transact(db, act),
    async (trx) => {
      await fill(trx);
      await become(trx, tenantId);
      return fn({
        attempt: (run) => attempt(trx, (inner) => run(typed(inner))),
        async rowsOf(other) {
          await become(trx, other);
          const rows = await everything(trx, other);
          await become(trx, tenantId);
          return rows;
        },
      });
    },
  );
}
