import { type Db, transact, type TransactOptions, type Trx } from '@svc/db';
import { rescoped } from '../isolation/tenant-scope.ts';
import { settingsFor } from '../isolation/with-tenant.ts';

/**
 * A transaction in which row-level security knows the tenant, also one that is being deleted. Without a scope: what runs
 * in it names the tenant itself.
 */
export function ofTenant<T>(
  db: Db,
  tenantId: string,
  fn: (trx: Trx) => Promise<T>,
  options: TransactOptions = {},
): Promise<T> {
  if (db.isTransaction)
    throw new TypeError('this begins transactions of its own: give it the database');
  // What the text of a value depends on, for exports of other sessions to read the same.
  const text = {
    datestyle: 'ISO, MDY',
    timezone: 'UTC',
    intervalstyle: 'postgres',
    extra_float_digits: '1',
    bytea_output: 'hex',
  };
  const settings = { ...text, ...settingsFor('tenant', tenantId) };
  return transact(rescoped(db), fn, { ...options, settings });
}
