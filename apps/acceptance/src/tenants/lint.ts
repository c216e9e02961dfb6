import type { Db } from '@svc/db';
import { lintTenancy, type TenancyException, type TenancyFinding } from '@svc/tenancy';
import { tablesOfTenants } from './tables.ts';

const except: readonly TenancyException[] = [
  {
    schema: 'svc_audit',
    why: 'The log has what everybody did, the service itself too, and is sealed and verified over all tenants; only @svc/audit reads it, for those with the permission audit.read.',
  },
  {
    schema: 'svc_auth',
    why: 'Who somebody is, is asked by address, session or key before any tenant is known; only @svc/auth reads it, and a person may be in many tenants.',
  },
  {
    schema: 'svc_webhooks',
    why: 'Only @svc/webhooks reads them, and each of its statements names the tenant, with which the keys begin; workers deliver for all tenants, and one purge is for all.',
  },
];

/** Every way past the isolation of tenants that the catalogue shows, but for those that were weighed. */
export const lintTenants = (
  db: Db,
  options: { appRole?: string } = {},
): Promise<readonly TenancyFinding[]> =>
  lintTenancy(db, { ...options, tables: tablesOfTenants, except });
