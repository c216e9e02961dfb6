import { tenantTables } from '@svc/tenancy';

const log = 'The log says what was done in a tenant, and that it was deleted; it has its own time.';

/** Every table that holds rows of tenants: what the scope goes by, and exports, imports and deletions. */
export const tablesOfTenants = tenantTables([
  'app.projects',
  'app.project_exports',
  'app.tenant_plans',
  'app.tenant_security',
  'svc_tenancy.usage',
  // They let somebody in, so no export has them.
  ...['api_keys', 'challenges'].map((name) => ({
    table: `svc_auth.${name}`,
    isolated: false,
    exported: false,
  })),
  // People here are of no tenant, but members of any number.
  { table: 'svc_auth.users', isolated: false, exported: false },
  // An endpoint is nothing without its secret, and the log of deliveries nothing without their jobs: no export has those.
  ...['endpoints', 'secrets', 'events', 'deliveries', 'attempts'].map((name) => ({
    table: `svc_webhooks.${name}`,
    isolated: false,
    exported: false,
  })),
  ...['chains', 'checkpoints', 'entries', 'pending', 'personal'].map((name) => ({
    table: `svc_audit.${name}`,
    kept: log,
  })),
]);
