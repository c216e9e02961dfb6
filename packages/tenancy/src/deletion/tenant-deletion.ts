import type { Trx } from '@svc/db';
import { type Actor, record } from '../acts.ts';
import type { TenancyContext } from '../context.ts';
import { accessTables, tablesToDelete, tenantsName } from '../data/directory-tables.ts';
import { parentsFirst, type Reference } from '../data/foreign-key-order.ts';
import { ofTenant } from '../data/of-tenant.ts';
import type { DataProgress } from '../data/progress.ts';
import { readReferences, readShapes, type TableShape } from '../data/shapes.ts';
import { deleteRows, hasRows } from '../data/table-rows.ts';
import { DeletionNotDue, RowsRemain, TenantNotFound } from '../failures.ts';
import { rescoped } from '../isolation/tenant-scope.ts';
import { nameOf, parseTenantId, type TenantTables } from '../isolation/tenant-tables.ts';
import {
  changeDeletion,
  type Deletion,
  dueDeletions,
  findDeletion,
  lockDeletion,
} from './deletions.ts';
import { earlierTransactionsEnded } from './earlier-transactions.ts';
import { type DeletionReceipt, receiptDigest } from './receipt.ts';
import { sql } from 'kysely';

export interface TenantDeletion {
  /**
   * Deletes a tenant that was frozen, or goes on where an earlier run was broken off; gives the receipt, also of one that
   * is done. Any number of runs at once do it once.
   *
   * @throws {TenantNotFound} when nobody asked for its deletion.
   * @throws {DeletionNotDue} within the grace period.
   * @throws {DeletionHeldUp} when transactions from before do not end: run it again later.
   * @throws {RowsRemain} when something goes on writing.
   */
  run(tenantId: string, options?: { signal?: AbortSignal }): Promise<DeletionReceipt>;
  /** Tenants to run it for, the longest due first. */
  due(limit?: number): Promise<readonly string[]>;
  /** How far it is; null where nobody asked for it, or it was taken back. */
  find(tenantId: string): Promise<DeletionProgress | null>;
  /** Null while it is not done. */
  receiptOf(tenantId: string): Promise<DeletionReceipt | null>;
}

/** The deletion of a tenant, also of one that is gone. */
export interface DeletionProgress {
  readonly requestedAt: Date;
  /** Until then it can be taken back. */
  readonly dueAt: Date;
  readonly startedAt: Date | null;
  /** Null while it is not done. */
  readonly receipt: DeletionReceipt | null;
}

export interface TenantDeletionOptions {
  tenancy: { readonly '~context': TenancyContext };
  /** The list of `checkTenantTables`: what it lacks is not deleted. */
  tables: TenantTables;
  /** Ends what else lets somebody in: sessions, API keys. In the transaction in which the members go; it may run again, until that has committed. @default none */
  revoke?: (tenantId: string, options: { within: Trx }) => Promise<unknown>;
  /** Rows deleted by one transaction. @default 1000 */
  batchSize?: number;
  /** Milliseconds to wait for transactions from before the tenant was frozen. @default 30000 */
  waitMs?: number;
  /** Called after each batch is committed. @default nobody is told */
  onProgress?: (progress: DataProgress) => void;
}

const system: Actor = { type: 'system', id: null, reason: 'its deletion was requested' };
// Nothing new is let in, so the first finds all but what writers without a tenant (other packages) had under way.
const maxRounds = 3;
// An audit entry has at most 50 details.
const maxTablesTold = 40;

/** @throws {TypeError} when tenants are not named by UUIDs. */
export function createTenantDeletion(options: TenantDeletionOptions): TenantDeletion {
  const { tenancy, tables, batchSize = 1000, waitMs = 30_000 } = options;
  if (tables.type !== 'uuid' || !tables.directory)
    throw new TypeError('deletion is for tenants of this package, in the same database');
  if (!Number.isSafeInteger(batchSize) || batchSize < 1)
    throw new TypeError('batchSize must be a whole number, 1 or more');
  const { db: given, clock } = tenancy['~context'];
  const db = rescoped(given);
  const find = async (tenantId: string) => {
    const deletion = await findDeletion(db, parseTenantId(tenantId, 'uuid'));
    return deletion === undefined ? null : toProgress(deletion);
  };
  const receiptOf = async (tenantId: string) => (await find(tenantId))?.receipt ?? null;
  return {
    find,
    receiptOf,
    due: (limit = 100) => dueDeletions(db, clock.now(), limit),
    async run(tenantId, { signal } = {}) {
      const id = parseTenantId(tenantId, 'uuid');
      const done = await receiptOf(id);
      if (done !== null) return done;
      const run = await begin({
        ...options,
        context: { ...tenancy['~context'], db },
        id,
        batchSize,
        signal,
      });
      await earlierTransactionsEnded(db, waitMs);
      await revokeAccess(run);
      for (let round = 0; round < maxRounds; round += 1) {
        for (const group of run.groups) await deleteGroup(run, group);
        const receipt = await complete(run);
        if (receipt !== null) return receipt;
      }
      throw new RowsRemain();
    },
  };
}

const toProgress = (deletion: Deletion): DeletionProgress => ({
  requestedAt: deletion.requested_at,
  dueAt: deletion.due_at,
  startedAt: deletion.started_at,
  receipt: deletion.receipt,
});

interface RunOptions extends Pick<TenantDeletionOptions, 'tables' | 'revoke' | 'onProgress'> {
  readonly context: TenancyContext;
  readonly id: string;
  readonly batchSize: number;
  readonly signal: AbortSignal | undefined;
}

interface Run extends RunOptions {
  readonly deletionId: string;
  /** Of the tenant, but for its own row. */
  readonly shapes: readonly TableShape[];
  readonly tenantShape: TableShape;
  /** Children first. */
  readonly groups: readonly (readonly TableShape[])[];
  readonly references: readonly Reference[];
}

/** One transaction of the deletion; others that run it wait. */
function step<T>(
  { context, id, signal, deletionId }: RunOptions & { readonly deletionId?: string },
  fn: (trx: Trx, deletion: Deletion) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  return ofTenant(context.db, id, async (trx) => {
    const deletion = await lockDeletion(trx, id);
    // Or it was completed by another run, and the tenant has come back since.
    if (deletion === undefined || (deletionId ?? deletion.id) !== deletion.id)
      throw new TenantNotFound();
    return fn(trx, deletion);
  });
}

async function begin(options: RunOptions): Promise<Run> {
  const { context, tables } = options;
  const deletionId = await step(options, async (trx, deletion) => {
    const now = context.clock.now();
    if (deletion.started_at !== null) return deletion.id;
    if (deletion.due_at > now) throw new DeletionNotDue();
    await changeDeletion(trx, deletion, { started_at: now });
    return deletion.id;
  });
  const all = await readShapes(context.db, tablesToDelete(tables));
  const missing = all.find(({ column, columns }) => !columns.some(({ name }) => name === column));
  if (missing !== undefined)
    throw new TypeError(`there is no table ${missing.fullName} with the column ${missing.column}`);
  const shapes = all.filter(({ fullName }) => fullName !== tenantsName);
  const references = await readReferences(context.db, shapes);
  const byName = new Map(shapes.map((shape) => [shape.fullName, shape]));
  const groups = parentsFirst([...byName.keys()], references)
    .toReversed()
    .map((group) => group.map((name) => byName.get(name) as TableShape));
  const tenantShape = all.find(({ fullName }) => fullName === tenantsName) as TableShape;
  return { ...options, deletionId, shapes, tenantShape, groups, references };
}

async function revokeAccess(run: Run): Promise<void> {
  const access = new Set(accessTables.map(nameOf));
  await step(run, async (trx, deletion) => {
    if (deletion.revoked_at !== null) return;
    await run.revoke?.(run.id, { within: trx });
    let deleted = deletion.deleted;
    for (const shape of run.shapes.filter(({ fullName }) => access.has(fullName)))
      deleted = counted(deleted, shape, await deleteRows(trx, shape, run.id));
    const revokedAt = run.context.clock.now();
    await changeDeletion(trx, deletion, {
      revoked_at: revokedAt,
      deleted: JSON.stringify(deleted),
    });
  });
}

const counted = (
  deleted: Readonly<Record<string, number>>,
  { fullName }: TableShape,
  rows: number,
): Record<string, number> => ({ ...deleted, [fullName]: (deleted[fullName] ?? 0) + rows });

/** A table in batches, each counted in the transaction that deletes it; tables that refer to each other, or to themselves, in one. */
async function deleteGroup(run: Run, group: readonly TableShape[]): Promise<void> {
  const names = group.map(({ fullName }) => fullName);
  const isCircle = run.references.some(
    ({ from, to }) => names.includes(from) && names.includes(to),
  );
  const atMost = isCircle ? undefined : run.batchSize;
  for (let more = true; more;) {
    let deleted: Record<string, number> = {};
    const gone = await step(run, async (trx, deletion) => {
      if (deletion.completed_at !== null) return 0;
      if (isCircle) await sql`set constraints all deferred`.execute(trx);
      deleted = deletion.deleted;
      let sum = 0;
      for (const shape of group) {
        const rows = await deleteRows(trx, shape, run.id, atMost);
        deleted = counted(deleted, shape, rows);
        sum += rows;
      }
      await changeDeletion(trx, deletion, { deleted: JSON.stringify(deleted) });
      return sum;
    });
    for (const name of names) run.onProgress?.({ table: name, rows: deleted[name] ?? 0 });
    more = !isCircle && gone > 0;
  }
}

/** The receipt; null where there are rows again. */
function complete(run: Run): Promise<DeletionReceipt | null> {
  return step(run, async (trx, deletion) => {
    if (deletion.receipt !== null) return deletion.receipt;
    for (const shape of run.shapes) if (await hasRows(trx, shape, run.id)) return null;
    const own = await deleteRows(trx, run.tenantShape, run.id);
    const rows = { ...deletion.deleted, [tenantsName]: own };
    const receipt = toReceipt(deletion, rows, run.context.clock.now());
    await changeDeletion(trx, deletion, {
      completed_at: new Date(receipt.completedAt),
      receipt: JSON.stringify(receipt),
    });
    await recordDeleted(run, trx, receipt);
    return receipt;
  });
}

function toReceipt(
  deletion: Deletion,
  rows: Readonly<Record<string, number>>,
  now: Date,
): DeletionReceipt {
  const told = {
    id: deletion.id,
    tenantId: deletion.tenant_id,
    requestedAt: deletion.requested_at.toISOString(),
    startedAt: (deletion.started_at as Date).toISOString(),
    revokedAt: (deletion.revoked_at as Date).toISOString(),
    completedAt: now.toISOString(),
    rows,
  };
  return { ...told, sha256: receiptDigest(told) };
}

async function recordDeleted(
  { context, id }: Run,
  trx: Trx,
  { rows, sha256, requestedAt, startedAt, revokedAt, completedAt }: DeletionReceipt,
): Promise<void> {
  const tables = Object.entries(rows);
  const details = {
    sha256,
    requestedAt,
    startedAt,
    revokedAt,
    completedAt,
    tables: tables.length,
    rows: tables.reduce((sum, [, count]) => sum + count, 0),
    // Of many tables the receipt alone has all; its hash is here.
    ...Object.fromEntries(tables.slice(0, maxTablesTold)),
  };
  const act = { type: 'tenancy.tenant.deleted', tenantId: id, actor: system, details } as const;
  await record(context, trx, act);
}
