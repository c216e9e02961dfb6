import type { Logger } from '@svc/core';
import { sql } from 'kysely';
import { type Db, surroundingsOf, type Trx } from './connection.ts';
import { MigrationChanged, MigrationFailed } from './failures.ts';
import { grantSchema } from './grants.ts';
import { addToLedger, ensureLedger, pendingSteps, readLedger, removeFromLedger } from './ledger.ts';
import {
  assertMigrations,
  type Migrations,
  type MigrationStep,
  type StepStatus,
} from './migration.ts';
import { asOwner, type OwnerOptions } from './owner.ts';

export interface MigrateOptions extends OwnerOptions {
  /** The role the app runs as: may use the schemas and their rows, and only read the ledgers. Created on PGlite. @default none */
  appRole?: string;
  /** @default the connection's */
  logger?: Logger;
}

/**
 * Applies what is not applied yet, package by package in the order given, each step in a transaction of its own; gives
 * those that this call applied. Any number of processes may call it at once: each step is applied once.
 *
 * @throws {MigrationChanged} when an applied step reads differently now.
 * @throws {MigrationFailed} when a statement fails; what was applied before stays.
 */
export async function migrate(
  db: Db,
  packages: readonly Migrations[],
  options: MigrateOptions = {},
): Promise<readonly StepStatus[]> {
  assertMigrations(packages);
  const logger = options.logger ?? surroundingsOf(db).logger;
  const done: StepStatus[] = [];
  for (const migrations of packages) {
    const { schema } = migrations;
    await asOwner(db, options, async (trx) => {
      await ensureLedger(trx, schema);
      if (options.appRole !== undefined) await grantSchema(trx, schema, options.appRole);
    });
    for (let more = true; more;) {
      const applied = await asOwner(db, options, (trx) =>
        applyNext(trx, migrations, options.appRole),
      );
      more = applied !== undefined;
      if (applied === undefined) continue;
      done.push(applied);
      logger.info({ schema, step: applied.name }, 'migration applied');
    }
  }
  return done;
}

// The ledger is read under the lock, each time: another process may have applied the step while we waited.
async function applyNext(
  trx: Trx,
  migrations: Migrations,
  appRole = '',
): Promise<StepStatus | undefined> {
  const { schema } = migrations;
  const [step] = pendingSteps(migrations, await readLedger(trx, schema));
  if (step === undefined) return undefined;
  await sql`select set_config('svc.app_role', ${appRole}, true)`.execute(trx);
  await runStatements(trx, schema, step, step.up);
  const appliedAt = await addToLedger(trx, schema, step);
  return { schema, name: step.name, state: 'applied', appliedAt, breaking: step.breaking === true };
}

async function runStatements(
  trx: Trx,
  schema: string,
  step: MigrationStep,
  statements: readonly string[],
): Promise<void> {
  try {
    for (const statement of statements) await sql.raw(statement).execute(trx);
  } catch (error) {
    throw new MigrationFailed(schema, step.name, error);
  }
}

export interface RollbackOptions extends MigrateOptions {
  /** How many. @default 1 */
  steps?: number;
}

/**
 * Undoes the newest step of the last package that has one applied (packages build on those before them), and so on for
 * `steps`; gives those undone.
 *
 * @throws {MigrationChanged} when the newest step is not known to this code, or has no way back.
 */
export async function rollback(
  db: Db,
  packages: readonly Migrations[],
  { steps = 1, ...options }: RollbackOptions = {},
): Promise<readonly StepStatus[]> {
  assertMigrations(packages);
  const undone: StepStatus[] = [];
  while (undone.length < steps) {
    const status = await asOwner(db, options, (trx) => undoNewest(trx, packages));
    if (status === undefined) break;
    undone.push(status);
  }
  return undone;
}

async function undoNewest(
  trx: Trx,
  packages: readonly Migrations[],
): Promise<StepStatus | undefined> {
  for (const migrations of packages.toReversed()) {
    const { schema, steps } = migrations;
    const ledger = await readLedger(trx, schema);
    const newest = ledger.at(-1);
    if (newest === undefined) continue;
    pendingSteps(migrations, ledger);
    const step = steps.find((candidate) => candidate.name === newest.name);
    if (step === undefined)
      throw new MigrationChanged(schema, newest.name, 'is not known to this code');
    if (step.down.length === 0) throw new MigrationChanged(schema, step.name, 'has no way back');
    await runStatements(trx, schema, step, step.down);
    await removeFromLedger(trx, schema, step.name);
    return {
      schema,
      name: step.name,
      state: 'pending',
      appliedAt: null,
      breaking: step.breaking === true,
    };
  }
  return undefined;
}

/** Every step and whether it is applied; applied ones that this code does not know come last. Changes nothing. */
export async function migrationStatus(
  db: Db,
  packages: readonly Migrations[],
): Promise<readonly StepStatus[]> {
  assertMigrations(packages);
  const all: StepStatus[] = [];
  for (const { schema, steps } of packages) {
    const ledger = await readLedger(db, schema);
    const applied = new Map(ledger.map((entry) => [entry.name, entry]));
    for (const { name, breaking = false } of steps) {
      const appliedAt = applied.get(name)?.appliedAt ?? null;
      applied.delete(name);
      all.push({
        schema,
        name,
        state: appliedAt === null ? 'pending' : 'applied',
        appliedAt,
        breaking,
      });
    }
    for (const { name, appliedAt, breaking } of applied.values()) {
      all.push({ schema, name, state: 'applied', appliedAt, breaking });
    }
  }
  return all;
}
