import { type Logger, sha256, silentLogger } from '@svc/core';
import {
  type Db,
  MigrationChanged,
  MigrationFailed,
  type Migrations,
  type MigrationStep,
  transact,
  type Trx,
} from '@svc/db';
import { sql } from 'kysely';
import { tablesOf } from '../../tables.ts';
import { quoted } from '../identifier.ts';

export interface MigrateTenantsOptions {
  /** As the owner of the schemas. `tenancyMigrations` are applied. */
  db: Db;
  tenantIds: readonly string[];
  /** The steps for one schema: the same for all but for its name. */
  migrations: (schema: string) => Migrations;
  schemaOf: (tenantId: string) => string;
  /** May use the schemas and the rows in them. @default none */
  appRole?: string;
  /** How many tenants at once; each takes a connection. @default 4 */
  concurrency?: number;
  /** Ends it after the steps that are under way. */
  signal?: AbortSignal;
  /** @default silentLogger */
  logger?: Logger;
}

export interface TenantsMigrated {
  /** Steps that this call applied. */
  readonly applied: number;
  /** Tenants that lacked nothing. */
  readonly upToDate: number;
  /** Tenants that stand before a step which failed; the others went on. */
  readonly failed: readonly { readonly tenantId: string; readonly error: unknown }[];
}

interface Work {
  readonly tenantId: string;
  readonly schema: string;
  readonly steps: readonly MigrationStep[];
}

/**
 * Brings the schema of every tenant up to date, several at once. Each step is one transaction with its entry in
 * `svc_tenancy.schema_steps`, so that a run that was broken off goes on where it stood, and any number of runs at once
 * apply each step once. A tenant whose step fails does not hold up the others.
 *
 * @throws {TypeError} when `migrations` gives a schema that it was not asked for.
 */
export async function migrateTenants({
  db,
  tenantIds,
  migrations,
  schemaOf,
  appRole,
  concurrency = 4,
  signal,
  logger = silentLogger,
}: MigrateTenantsOptions): Promise<TenantsMigrated> {
  const { queue, failed, upToDate } = plan(
    { tenantIds, migrations, schemaOf },
    await readSteps(db),
  );
  let applied = 0;
  const isStopped = () => signal?.aborted === true;
  const migrateOne = async ({ tenantId, schema, steps }: Work) => {
    try {
      for (const step of steps)
        if (!isStopped() && (await applyStep(db, schema, step, appRole))) applied += 1;
    } catch (error) {
      logger.error({ err: error, schema }, 'the schema of a tenant could not be migrated');
      failed.push({ tenantId, error });
    }
  };
  const work = async () => {
    for (let next = queue.shift(); next !== undefined && !isStopped(); next = queue.shift())
      await migrateOne(next);
  };
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, work));
  return { applied, upToDate, failed };
}

interface Plan {
  readonly queue: Work[];
  readonly failed: { tenantId: string; error: unknown }[];
  readonly upToDate: number;
}

/** What each tenant lacks. */
function plan(
  {
    tenantIds,
    migrations,
    schemaOf,
  }: Pick<MigrateTenantsOptions, 'tenantIds' | 'migrations' | 'schemaOf'>,
  known: ReadonlyMap<string, ReadonlyMap<string, string>>,
): Plan {
  const queue: Work[] = [];
  const failed: Plan['failed'] = [];
  for (const tenantId of tenantIds) {
    const schema = schemaOf(tenantId);
    quoted(schema);
    const own = migrations(schema);
    if (own.schema !== schema)
      throw new TypeError('migrations(schema) must give the steps of that schema');
    try {
      const steps = pending(own, known.get(schema) ?? new Map());
      if (steps.length > 0) queue.push({ tenantId, schema, steps });
    } catch (error) {
      failed.push({ tenantId, error });
    }
  }
  return { queue, failed, upToDate: tenantIds.length - queue.length - failed.length };
}

const checksumOf = ({ name, up }: MigrationStep) =>
  Buffer.from(sha256(JSON.stringify([name, up]))).toString('hex');

/** Every step of every schema in one query: with a thousand tenants and nothing to do, it is all there is to do. */
async function readSteps(db: Db): Promise<Map<string, Map<string, string>>> {
  const rows = await tablesOf(db)
    .selectFrom('svc_tenancy.schema_steps')
    .select(['schema', 'step', 'checksum'])
    .execute();
  const known = new Map<string, Map<string, string>>();
  for (const { schema, step, checksum } of rows) {
    const steps = known.get(schema) ?? new Map<string, string>();
    known.set(schema, steps.set(step, checksum));
  }
  return known;
}

/** @throws {MigrationChanged} when an applied step reads differently now. */
function pending(
  { schema, steps }: Migrations,
  applied: ReadonlyMap<string, string>,
): readonly MigrationStep[] {
  for (const step of steps) {
    const checksum = applied.get(step.name);
    if (checksum !== undefined && checksum !== checksumOf(step))
      throw new MigrationChanged(
        schema,
        step.name,
        'was changed after it had been applied; add a new step instead',
      );
  }
  const open = steps.filter((step) => !applied.has(step.name));
  const lastApplied = steps.findLastIndex((step) => applied.has(step.name));
  const [first] = open;
  if (first !== undefined && steps.indexOf(first) < lastApplied)
    throw new MigrationChanged(schema, first.name, 'stands before steps that are applied');
  return open;
}

/** Gives whether it was this call that applied it. */
function applyStep(
  db: Db,
  schema: string,
  step: MigrationStep,
  appRole: string | undefined,
): Promise<boolean> {
  return transact(db, async (trx) => {
    // On PGlite the connection has the app's role.
    await sql`set local role none`.execute(trx);
    await sql`select pg_advisory_xact_lock(hashtextextended(${`svc_tenancy.${schema}`}, 0))`.execute(
      trx,
    );
    const isApplied = await tablesOf(trx)
      .selectFrom('svc_tenancy.schema_steps')
      .select('step')
      .where('schema', '=', schema)
      .where('step', '=', step.name)
      .executeTakeFirst();
    if (isApplied !== undefined) return false;
    await ensureSchema(trx, schema, appRole);
    await sql`select set_config('svc.app_role', ${appRole ?? ''}, true)`.execute(trx);
    try {
      for (const statement of step.up) await sql.raw(statement).execute(trx);
    } catch (error) {
      throw new MigrationFailed(schema, step.name, error);
    }
    await tablesOf(trx)
      .insertInto('svc_tenancy.schema_steps')
      .values({ schema, step: step.name, checksum: checksumOf(step) })
      .execute();
    return true;
  });
}

async function ensureSchema(trx: Trx, schema: string, appRole: string | undefined): Promise<void> {
  const { rows } = await sql`select from pg_catalog.pg_namespace where nspname = ${schema}`.execute(
    trx,
  );
  if (rows.length > 0) return;
  await sql`create schema ${sql.id(schema)}`.execute(trx);
  if (appRole === undefined) return;
  const [within, to] = [sql.id(schema), sql.id(appRole)];
  await sql`grant usage on schema ${within} to ${to}`.execute(trx);
  await sql`alter default privileges in schema ${within}
    grant select, insert, update, delete on tables to ${to}`.execute(trx);
  await sql`alter default privileges in schema ${within}
    grant usage, select on sequences to ${to}`.execute(trx);
}
