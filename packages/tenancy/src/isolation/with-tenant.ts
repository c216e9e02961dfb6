import { isUuid } from '@svc/core';
import {
  type Db,
  transact,
  type TransactionSettings,
  type TransactOptions,
  type Trx,
} from '@svc/db';
import { sql } from 'kysely';
import { TenantNotFound } from '../failures.ts';
import { closedTenant } from '../migrations/deletions.ts';
import { tenancySetting, tenantSetting } from './isolate-by-tenant.ts';
import { parseTenantId } from './tenant-tables.ts';
import { rescoped, tenancyOf, type Tenancy, tenantScope } from './tenant-scope.ts';

/**
 * Runs `fn` in a transaction that sees and writes only rows of that tenant: the scope adds it to every statement, and
 * row-level security holds for the rest. `db` comes from `tenantScoped`. Given a transaction it joins it, as a savepoint;
 * afterwards that transaction is for nobody again, as before.
 *
 * @throws {TenantNotFound} when the tenant is being deleted, or was.
 * @throws {TypeError} when `tenantId` is no id, and within a transaction of another tenant or of the system.
 */
export async function withTenant<T>(
  db: Db,
  tenantId: string,
  fn: (trx: Trx) => Promise<T>,
  options: TransactOptions = {},
): Promise<T> {
  const { tables } = requireTenancy(db);
  const id = parseTenantId(tenantId, tables.type);
  const plugin = tenantScope({ tenantId: id, tables });
  const whose = { id, directory: tables.directory };
  return entered(db, whose, (trx) => fn(rescoped(trx, plugin)), options);
}

/** The same for tables of our own: without the scope, and as part of a transaction that is for the tenant already. */
export async function inTenant<T>(
  db: Db,
  tenantId: string,
  fn: (trx: Trx) => Promise<T>,
): Promise<T> {
  const id = parseTenantId(tenantId, 'uuid');
  const tenancy = tenancyOf(db);
  const isInside = db.isTransaction && tenancy?.kind === 'tenant' && tenancy.tenantId === id;
  return isInside ? fn(rescoped(db as Trx)) : entered(db, { id, directory: true }, fn, {});
}

/** A transaction, or a savepoint of one, in which row-level security knows the tenant. `fn` gets it without a scope. */
async function entered<T>(
  db: Db,
  { id, directory }: { readonly id: string; readonly directory: boolean },
  fn: (trx: Trx) => Promise<T>,
  options: TransactOptions,
): Promise<T> {
  const assertion = directory && isUuid(id) ? openTenant(id) : undefined;
  if (!db.isTransaction) {
    const settings = { ...options.settings, ...settingsFor('tenant', id) };
    const more = { ...options, settings, ...(assertion !== undefined && { assertion }) };
    return refusing(transact(db, (scoped) => fn(rescoped(scoped)), more));
  }
  const work = transact(
    db,
    async (scoped) => {
      const trx = rescoped(scoped);
      const before = await current(trx);
      if (before.tenancy === 'system' || ![undefined, id].includes(before.tenantId))
        throw new TypeError(
          'this transaction is for another tenant, or for the system: begin one of its own, from the database',
        );
      if (before.tenantId === undefined) await enter(trx, 'tenant', id);
      if (before.tenantId === undefined && assertion !== undefined)
        await sql.raw(assertion).execute(trx);
      const result = await fn(trx);
      // The settings last as long as the outermost transaction.
      if (before.tenantId === undefined) await enter(trx, '', '');
      return result;
    },
    options,
  );
  return refusing(work);
}

// Asked where the transaction begins: one that began before its tenant was frozen is waited for
// (earlier-transactions.ts), so that none of its rows comes after the deletion has looked. The id is a UUID.
const openTenant = (id: string) => `select svc_tenancy.assert_open('${id}')`;

async function refusing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === closedTenant) throw new TenantNotFound();
    throw error;
  }
}

/** @throws {TypeError} when the scope is missing, without which one layer would be off. */
export function requireTenancy(db: Db): Tenancy {
  const tenancy = tenancyOf(db);
  if (tenancy === undefined)
    throw new TypeError(
      'this needs a database that knows its tenant tables: tenantScoped(db, tables)',
    );
  return tenancy;
}

/** What says to row-level security whom a transaction is for. Both, whatever a session may have been left with. */
export function settingsFor(tenancy: string, tenantId: string): TransactionSettings {
  return { [tenantSetting]: tenantId, [tenancySetting]: tenancy };
}

async function enter(trx: Trx, tenancy: string, tenantId: string): Promise<void> {
  await sql`select set_config(${sql.lit(tenantSetting)}, ${tenantId}, true), set_config(${sql.lit(tenancySetting)}, ${tenancy}, true)`.execute(
    trx,
  );
}

interface Settings {
  readonly tenantId: string | undefined;
  readonly tenancy: string;
}

// Asked of the database: a plugin may have been lost on the way.
async function current(trx: Trx): Promise<Settings> {
  const { rows } = await sql<{ tenant: string | null; tenancy: string | null }>`
    select current_setting(${sql.lit(tenantSetting)}, true) as tenant,
      current_setting(${sql.lit(tenancySetting)}, true) as tenancy`.execute(trx);
  const [row] = rows;
  return { tenantId: row?.tenant || undefined, tenancy: row?.tenancy ?? '' };
}
