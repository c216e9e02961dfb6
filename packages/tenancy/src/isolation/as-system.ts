import { transact, type TransactOptions, type Db, type Trx } from '@svc/db';
import { rescoped, systemScope } from './tenant-scope.ts';
import { requireTenancy, settingsFor } from './with-tenant.ts';

/** An entry for an audit log; what `@svc/audit` takes. */
export interface SystemAccess {
  readonly type: 'tenancy.system_access';
  readonly tenantId: null;
  readonly actor: {
    readonly type: 'user' | 'api_key' | 'system';
    readonly id: string | null;
    readonly reason: string;
  };
}

export interface SystemOptions extends TransactOptions {
  /** Appends to an audit log, before anything is read. */
  audit: (event: SystemAccess) => Promise<unknown>;
  /** Who asked for it. @default the system itself */
  actor?: { readonly type: 'user' | 'api_key' | 'system'; readonly id: string | null };
}

const maxReason = 200;

/**
 * Runs `fn` in a transaction over all tenants, where tables allow it (`isolateByTenant` with `system`); tables that do not
 * have no rows for it. That it happened, and why, is in the audit log before, and stays there whatever `fn` does.
 *
 * @throws {TypeError} without a reason, and within a transaction.
 */
export async function asSystem<T>(
  db: Db,
  reason: string,
  fn: (trx: Trx) => Promise<T>,
  { audit, actor = { type: 'system', id: null }, ...options }: SystemOptions,
): Promise<T> {
  const { tables } = requireTenancy(db);
  if (reason.trim() === '' || reason.length > maxReason)
    throw new TypeError(`say why, in at most ${maxReason} characters`);
  if (db.isTransaction)
    throw new TypeError('the system acts in a transaction of its own: give it the database');
  await audit({ type: 'tenancy.system_access', tenantId: null, actor: { ...actor, reason } });
  return transact(db, (trx) => fn(rescoped(trx, systemScope(reason, tables))), {
    ...options,
    settings: { ...options.settings, ...settingsFor('system', '') },
  });
}
