import { sha256 } from '@svc/core';

/** One step forward, and the way back. */
export interface MigrationStep {
  readonly name: string;
  /** One statement per entry; the step is one transaction. */
  readonly up: readonly string[];
  /** Undoes `up`; empty where nothing can. */
  readonly down: readonly string[];
  /** Code from before this step cannot live with the schema after it. */
  readonly breaking?: true;
}

/** The steps of one package, in order. Steps are only ever added at the end. */
export interface Migrations {
  /** Where its tables live; the ledger is `<schema>.migrations`. */
  readonly schema: string;
  readonly steps: readonly MigrationStep[];
}

export interface StepStatus {
  readonly schema: string;
  readonly name: string;
  readonly state: 'applied' | 'pending';
  readonly appliedAt: Date | null;
  readonly breaking: boolean;
}

/** What an applied step is recognised by. `down` is not part of it: it may be mended later. */
export function checksumOf({ name, up }: MigrationStep): string {
  return Buffer.from(sha256(JSON.stringify([name, up]))).toString('hex');
}

/** @throws {TypeError} on a schema name that needs quotes, and on two steps of one name. */
export function assertMigrations(packages: readonly Migrations[]): void {
  const schemas = new Set<string>();
  for (const { schema, steps } of packages) {
    if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema))
      throw new TypeError(`${schema} is not a plain schema name`);
    if (schemas.has(schema)) throw new TypeError(`two packages migrate the schema ${schema}`);
    schemas.add(schema);
    if (new Set(steps.map((step) => step.name)).size < steps.length) {
      throw new TypeError(`two migration steps of ${schema} have one name`);
    }
  }
}
