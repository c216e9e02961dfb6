import { type Clock, systemClock } from '@svc/core';
import type { Db, Trx } from '@svc/db';
import { sql } from 'kysely';
import { type Actor, type AppendAudit, record } from '../acts.ts';
import { TenantNotEmpty, TenantNotFound } from '../failures.ts';
import { rescoped } from '../isolation/tenant-scope.ts';
import { nameOf, parseTenantId, type TenantTables } from '../isolation/tenant-tables.ts';
import { tablesOf } from '../tables.ts';
import { checkedLines, readManifest } from './checked-lines.ts';
import { directoryTables, tablesToDelete, tablesToExport } from './directory-tables.ts';
import type { ExportSource } from './export-files.ts';
import { parentsFirst, type Reference } from './foreign-key-order.ts';
import { damaged, type TenantManifest, type TenantManifestTable } from './manifest.ts';
import { ofTenant } from './of-tenant.ts';
import type { DataProgress } from './progress.ts';
import { readReferences, readShapes, type TableShape } from './shapes.ts';
import {
  countRows,
  exportedColumns,
  hasRows,
  stageLines,
  writeLines,
  writeStaged,
} from './table-rows.ts';

export interface ImportTenantOptions {
  /** As the app has it; migrated as far as the database that was exported. */
  db: Db;
  tables: TenantTables;
  source: ExportSource;
  /** Into which tenant. @default the one that was exported */
  tenantId?: string | undefined;
  /** Whose export it is. @default `tenantId` */
  from?: string | undefined;
  /** Appends to an audit log in the same transaction. @default it is not audited */
  audit?: AppendAudit | undefined;
  /** Who asked for it. @default the system */
  actor?: Actor;
  /** Called after each batch. @default nobody is told */
  onProgress?: (progress: DataProgress) => void;
  /** @default systemClock */
  clock?: Clock;
}

const system: Actor = { type: 'system', id: null, reason: 'import of the tenant' };

/**
 * Writes what `exportTenant` has written into an empty tenant: all of it, as it was, or nothing. Every file is checked
 * against the manifest before the first row is written, and again before the commit. A tenant that exists keeps its name
 * and its members; one that does not is made, with those of the export. An export is trusted as a backup is: the caller
 * has checked where it comes from, and that the actor may.
 *
 * @throws {InvalidExport} when it is damaged, of another tenant, or of other tables than there are here.
 * @throws {TenantNotEmpty}
 * @throws {TenantNotFound} when the tenant is being deleted.
 */
export async function importTenant({
  db,
  tables: list,
  source,
  audit,
  actor = system,
  onProgress = () => {},
  clock = systemClock,
  ...whose
}: ImportTenantOptions): Promise<TenantManifest> {
  const manifest = await readManifest(source);
  const id = parseTenantId(whose.tenantId ?? manifest.tenantId, list.type);
  if (manifest.tenantId !== parseTenantId(whose.from ?? id, list.type))
    throw damaged('it is of another tenant');
  const shapes = await readShapes(rescoped(db), tablesToDelete(list));
  assertSameTables(manifest, list, shapes);
  for (const table of manifest.tables) for await (const _ of checkedLines(source, table));
  const work = async (trx: Trx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`svc_tenancy.import ${id}`}, 0))`.execute(
      trx,
    );
    const skipped = list.directory ? await enterDirectory(trx, list, id, clock) : new Set<string>();
    const filled = shapes.filter(({ fullName, exported }) => exported && !skipped.has(fullName));
    for (const shape of filled) if (await hasRows(trx, shape, id)) throw new TenantNotEmpty();
    await fill({ trx, id, source, onProgress }, manifest, filled);
    const act = { type: 'tenancy.tenant.imported', tenantId: id, actor } as const;
    const details = { sha256: manifest.sha256, from: manifest.tenantId };
    await record({ audit, name: 'tenancy' }, trx, { ...act, details });
    return manifest;
  };
  return ofTenant(db, id, work, { retries: 0 });
}

function assertSameTables(
  manifest: TenantManifest,
  list: TenantTables,
  shapes: readonly TableShape[],
): void {
  if (manifest.tenantColumnType !== list.type)
    throw damaged('its tenants have ids of another type');
  const expected = new Set(tablesToExport(list).map(nameOf));
  const names = manifest.tables.map(({ name }) => name);
  if (new Set(names).size < names.length || [...expected].some((name) => !names.includes(name)))
    throw damaged('it lacks a table that there is here, or names one twice');
  for (const table of manifest.tables) {
    if (!expected.has(table.name)) throw damaged(`${table.name} is no table of tenants here`);
    const shape = shapes.find(({ fullName }) => fullName === table.name) as TableShape;
    if (!isSameTable(table, shape))
      throw damaged(`${table.name} has other columns: migrate as far as the exported database was`);
  }
}

function isSameTable(table: TenantManifestTable, shape: TableShape): boolean {
  const told = (columns: readonly { readonly name: string; readonly type: string }[]) =>
    JSON.stringify(columns.map(({ name, type }) => `${name} ${type}`).toSorted());
  return (
    table.file === `${table.name}.ndjson` &&
    table.tenantColumn === shape.column &&
    told(table.columns) === told(exportedColumns(shape))
  );
}

/** Makes sure that the tenant may have rows; gives the tables of the directory that keep what they have. */
async function enterDirectory(
  trx: Trx,
  list: TenantTables,
  tenantId: string,
  clock: Clock,
): Promise<ReadonlySet<string>> {
  const own = directoryTables(list);
  if (own.length === 0) return new Set();
  const tenant = await tablesOf(trx)
    .selectFrom('svc_tenancy.tenants')
    .select('deletion_requested_at')
    .where('id', '=', tenantId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (tenant !== undefined && tenant.deletion_requested_at !== null) throw new TenantNotFound();
  // One that was deleted may come back, from its export.
  await tablesOf(trx)
    .updateTable('svc_tenancy.deletions')
    .set({ reopened_at: clock.now() })
    .where('tenant_id', '=', tenantId)
    .where('completed_at', 'is not', null)
    .where('reopened_at', 'is', null)
    .execute();
  return new Set(tenant === undefined ? [] : own.map(nameOf));
}

interface Filling {
  readonly trx: Trx;
  readonly id: string;
  readonly source: ExportSource;
  readonly onProgress: (progress: DataProgress) => void;
}

async function fill(
  filling: Filling,
  manifest: TenantManifest,
  shapes: readonly TableShape[],
): Promise<void> {
  const { trx, id } = filling;
  const references = await readReferences(trx, shapes);
  await sql`set constraints all deferred`.execute(trx);
  const names = shapes.map(({ fullName }) => fullName);
  for (const name of parentsFirst(names, references).flat()) {
    const table = manifest.tables.find((each) => each.name === name);
    const shape = shapes.find(({ fullName }) => fullName === name) as TableShape;
    if (table === undefined) continue;
    await fillTable(filling, table, shape, refersToItself(name, references));
    if ((await countRows(trx, shape, id)) !== table.rows)
      throw damaged(`${name} does not have the rows that were exported`);
  }
}

// By a key that is checked with each statement: its rows have to come in one.
const refersToItself = (name: string, references: readonly Reference[]): boolean =>
  references.some(({ from, to, deferrable }) => from === name && to === name && !deferrable);

async function fillTable(
  { trx, id, source, onProgress }: Filling,
  table: TenantManifestTable,
  shape: TableShape,
  isStaged: boolean,
): Promise<void> {
  let rows = 0;
  for await (const lines of checkedLines(source, table)) {
    if (isStaged) await stageLines(trx, lines);
    else await writeLines(trx, shape, id, lines);
    rows += lines.length;
    onProgress({ table: table.name, rows });
  }
  if (isStaged && rows > 0) await writeStaged(trx, shape, id);
}
