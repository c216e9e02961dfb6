import { uuidv7 } from '@svc/core';
import { databaseTest } from '@svc/db/testing';
import { type AppendAudit, exportTable, type TenantTables } from '@svc/tenancy';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { migrations } from '../src/migrations.ts';
import config from '../svc.config.ts';

const test = databaseTest(migrations);

test('what svc exports of a tenant stands in its audit log', async ({ db }) => {
  const tenantId = uuidv7();
  const { tables, audit } = config.tenants as { tables: TenantTables; audit: unknown };
  await exportTable({
    db,
    table: 'app.projects',
    tenantId,
    tables,
    write: () => undefined,
    audit: (audit as (database: typeof db) => AppendAudit)(db),
  });
  const { rows } = await sql`select tenant_id, event::json ->> 'type' as type,
    event::json -> 'details' as details from svc_audit.pending`.execute(db);
  expect(rows).toEqual([
    { tenant_id: tenantId, type: 'tenancy.tenant.exported', details: { table: 'app.projects' } },
  ]);
});
