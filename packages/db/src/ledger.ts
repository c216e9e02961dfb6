import { sql } from 'kysely';
import type { Db, Trx } from './connection.ts';
import { MigrationChanged } from './failures.ts';
import { checksumOf, type Migrations, type MigrationStep } from './migration.ts';

/** A step as the database remembers it. */
export interface LedgerEntry {
  readonly name: string;
  readonly checksum: string;
  readonly breaking: boolean;
  readonly appliedAt: Date;
}

const ledgerOf = (schema: string) => sql.id(schema, 'migrations');

/** Creates the schema and its ledger where they are missing. */
export async function ensureLedger(trx: Trx, schema: string): Promise<void> {
  if (await ledgerExists(trx, schema)) return;
  await sql`create schema if not exists ${sql.id(schema)}`.execute(trx);
  await sql`create table ${ledgerOf(schema)} (
    position integer generated always as identity primary key,
    name text not null unique,
    checksum text not null,
    breaking boolean not null,
    applied_at timestamptz not null default now()
  )`.execute(trx);
}

async function ledgerExists(db: Db, schema: string): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    select to_regclass(${`${schema}.migrations`}) is not null as found`.execute(db);
  return rows[0]?.found === true;
}

/** The applied steps in order; none where there is no ledger yet. */
export async function readLedger(db: Db, schema: string): Promise<readonly LedgerEntry[]> {
  if (!(await ledgerExists(db, schema))) return [];
  const { rows } = await sql<LedgerEntry>`
    select name, checksum, breaking, applied_at as "appliedAt" from ${ledgerOf(schema)} order by position`.execute(
    db,
  );
  return rows;
}

export async function addToLedger(trx: Trx, schema: string, step: MigrationStep): Promise<Date> {
  const { rows } = await sql<{ applied_at: Date }>`
    insert into ${ledgerOf(schema)} (name, checksum, breaking)
    values (${step.name}, ${checksumOf(step)}, ${step.breaking === true}) returning applied_at`.execute(
    trx,
  );
  return (rows[0] as { applied_at: Date }).applied_at;
}

export async function removeFromLedger(trx: Trx, schema: string, name: string): Promise<void> {
  await sql`delete from ${ledgerOf(schema)} where name = ${name}`.execute(trx);
}

/**
 * The steps that are still to be applied. A ledger that is ahead is fine (a rolling deploy: older code starts once
 * more), unless a step that this code does not know is breaking.
 *
 * @throws {MigrationChanged} when an applied step reads differently now, or the order was changed.
 */
export function pendingSteps(
  { schema, steps }: Migrations,
  ledger: readonly LedgerEntry[],
): readonly MigrationStep[] {
  const byName = new Map(steps.map((step) => [step.name, step]));
  for (const { name, checksum, breaking } of ledger) {
    const step = byName.get(name);
    if (step === undefined && breaking) {
      throw new MigrationChanged(
        schema,
        name,
        'is applied, is breaking, and is not known to this code',
      );
    }
    if (step !== undefined && checksumOf(step) !== checksum) {
      throw new MigrationChanged(
        schema,
        name,
        'was changed after it had been applied; add a new step instead',
      );
    }
  }
  const applied = new Set(ledger.map((entry) => entry.name));
  const pending = steps.filter((step) => !applied.has(step.name));
  const lastApplied = steps.findLastIndex((step) => applied.has(step.name));
  const [first] = pending;
  if (first !== undefined && steps.indexOf(first) < lastApplied) {
    throw new MigrationChanged(
      schema,
      first.name,
      'stands before steps that are applied; add new steps at the end',
    );
  }
  const unknown = ledger.find((entry) => !byName.has(entry.name));
  if (first !== undefined && unknown !== undefined) {
    throw new MigrationChanged(
      schema,
      unknown.name,
      `is applied but not known to this code, which has ${first.name} to apply`,
    );
  }
  return pending;
}
