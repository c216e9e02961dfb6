import { createHash } from 'node:crypto';
import { type Db, transact, type Trx } from '@svc/db';
import { sql } from 'kysely';
import type { Actor, AppendAudit } from '../acts.ts';
import { record } from '../acts.ts';
import { TenantNotFound } from '../failures.ts';
import { parseName } from '../isolation/identifier.ts';
import {
  nameOf,
  parseTenantId,
  type TenantTable,
  type TenantTables,
} from '../isolation/tenant-tables.ts';
import { tablesToDelete, tablesToExport } from './directory-tables.ts';
import type { ExportSink } from './export-files.ts';
import {
  manifestFile,
  sealManifest,
  type TenantManifest,
  type TenantManifestTable,
} from './manifest.ts';
import { ofTenant } from './of-tenant.ts';
import type { DataProgress } from './progress.ts';
import { readShapes, type TableShape } from './shapes.ts';
import { exportedColumns, readLines } from './table-rows.ts';

export interface ExportTenantOptions {
  /** As the app has it. */
  db: Db;
  tables: TenantTables;
  tenantId: string;
  sink: ExportSink;
  /** Appends to an audit log, before anything is read. @default it is not audited */
  audit?: AppendAudit | undefined;
  /** Who asked for it. @default the system */
  actor?: Actor;
  /** Called after each batch. @default nobody is told */
  onProgress?: (progress: DataProgress) => void;
}

const system: Actor = { type: 'system', id: null, reason: 'export of the tenant' };

/**
 * Writes everything of a tenant, as of one moment: a file of JSON lines for each table, and last a manifest with counts
 * and checksums. Nothing is locked, and memory does not grow with the tenant. The caller has checked that the actor may.
 *
 * @throws {TenantNotFound} when there is nothing of it.
 */
export async function exportTenant({
  db,
  tables: list,
  tenantId,
  sink,
  audit,
  actor = system,
  onProgress = () => {},
}: ExportTenantOptions): Promise<TenantManifest> {
  const id = parseTenantId(tenantId, list.type);
  const act = { type: 'tenancy.tenant.exported', tenantId: id, actor } as const;
  await transact(db, (trx) => record({ audit, name: 'tenancy' }, trx, act));
  return snapshot(db, id, async (trx) => {
    const snapshotAt = await now(trx);
    const tables: TenantManifestTable[] = [];
    for (const shape of await readShapes(trx, tablesToExport(list))) {
      assertPresent(shape);
      tables.push(await writeTable(trx, shape, id, sink, onProgress));
    }
    if (tables.every(({ rows }) => rows === 0)) throw new TenantNotFound();
    const manifest = sealManifest({
      format: 'svc.tenant-export',
      version: 1,
      tenantId: id,
      tenantColumnType: list.type,
      snapshotAt,
      tables,
    });
    await sink.write(manifestFile, once(`${JSON.stringify(manifest, null, 2)}\n`));
    return manifest;
  });
}

export interface ExportTableOptions {
  db: Db;
  /** `schema.name` */
  table: string;
  tenantId: string;
  /** The list, for what it says of the table. @default none: the column is `tenantColumn`, and nothing is left out */
  tables?: TenantTables | undefined;
  /** The column that holds the tenant. @default what the list says, else 'tenant_id' */
  tenantColumn?: string | undefined;
  /** At most so many rows. @default all */
  limit?: number | undefined;
  /** Takes lines of JSON; the next come when it is done. */
  write: (lines: string) => unknown;
  /** Appends to an audit log, before anything is read. @default it is not audited */
  audit?: AppendAudit | undefined;
  /** Who asked for it. @default the system */
  actor?: Actor;
  onProgress?: (progress: DataProgress) => void;
}

/** The rows of a tenant in one table, as of one moment; gives how many. @throws {TypeError} when the table is not there, has no such column, or is not for exports */
export async function exportTable({
  db,
  table: name,
  tenantId,
  tables: list,
  tenantColumn,
  limit,
  write,
  audit,
  actor = { type: 'system', id: null, reason: 'export of a table' },
  onProgress = () => {},
}: ExportTableOptions): Promise<number> {
  const place = parseName(name);
  const all = list === undefined ? [] : tablesToDelete(list);
  const listed = all.find((each) => nameOf(each) === nameOf(place));
  if (listed?.exported === false) throw new TypeError(`the list says that ${name} is not exported`);
  const column = tenantColumn ?? listed?.column ?? 'tenant_id';
  const table: TenantTable = { ...place, column, omit: listed?.omit ?? [], exported: true };
  const id = list === undefined ? tenantId : parseTenantId(tenantId, list.type);
  const act = {
    type: 'tenancy.tenant.exported',
    tenantId: id,
    actor,
    details: { table: name },
  } as const;
  await transact(db, (trx) => record({ audit, name: 'tenancy' }, trx, act));
  return snapshot(db, id, async (trx) => {
    const [shape] = (await readShapes(trx, [table])) as [TableShape];
    assertPresent(shape);
    let rows = 0;
    for await (const lines of readLines(trx, shape, id, limit)) {
      await write(`${lines.join('\n')}\n`);
      rows += lines.length;
      onProgress({ table: shape.fullName, rows });
    }
    return rows;
  });
}

// Once: what was written to the outside is not taken back.
const snapshot = <T>(db: Db, tenantId: string, fn: (trx: Trx) => Promise<T>): Promise<T> =>
  ofTenant(db, tenantId, fn, { isolation: 'repeatable read', readOnly: true, retries: 0 });

async function now(trx: Trx): Promise<string> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(trx);
  return (rows[0] as { now: Date }).now.toISOString();
}

function assertPresent({ fullName, column, columns }: TableShape): void {
  if (columns.some(({ name }) => name === column)) return;
  throw new TypeError(`there is no table ${fullName} with the column ${column}`);
}

async function writeTable(
  trx: Trx,
  shape: TableShape,
  tenantId: string,
  sink: ExportSink,
  onProgress: (progress: DataProgress) => void,
): Promise<TenantManifestTable> {
  const { fullName, column, omit } = shape;
  const hash = createHash('sha256');
  const written = { rows: 0, bytes: 0, isComplete: false };
  async function* chunks() {
    for await (const lines of readLines(trx, shape, tenantId)) {
      const chunk = Buffer.from(`${lines.join('\n')}\n`);
      hash.update(chunk);
      written.rows += lines.length;
      written.bytes += chunk.length;
      onProgress({ table: fullName, rows: written.rows });
      yield chunk;
    }
    written.isComplete = true;
  }
  const file = `${fullName}.ndjson`;
  await sink.write(file, chunks());
  if (!written.isComplete) throw new TypeError('the sink did not take all of a file');
  return {
    name: fullName,
    file,
    tenantColumn: column,
    columns: exportedColumns(shape).map(({ name, type }) => ({ name, type })),
    omitted: [...omit],
    rows: written.rows,
    bytes: written.bytes,
    sha256: hash.digest('hex'),
  };
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
