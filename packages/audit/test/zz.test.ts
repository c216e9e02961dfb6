import { databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { auditMigrations } from '../src/migrations.ts';
import { verifyAuditLog } from '../src/index.ts';
import { event, key, openAudit, someTenant, textOf } from './open-audit.ts';
const test = databaseTest([auditMigrations]);
test('bench', { timeout: 240000 }, async ({ db, database }) => {
  const { audit } = openAudit(db);
  const tenants = Array.from({ length: 10 }, someTenant);
  for (let i = 0; i < 600; i += 1)
    await Promise.all(Array.from({ length: 100 }, (_, k) => audit.append(event({ tenantId: tenants[k % 10] as string, personal: { address: '192.0.2.1' } }))));
  let c = process.cpuUsage();
  let t = performance.now();
  const n = await audit.seal();
  let u = process.cpuUsage(c);
  console.log('seal', n, Math.round(n / (performance.now() - t) * 1000), 'entries/s; cpu ms', (u.user + u.system) / 1000);
  for (let i = 0; i < 3; i++) {
    c = process.cpuUsage(); t = performance.now();
    const r = await audit.verify();
    u = process.cpuUsage(c);
    console.log('verify', r.valid, r.entries, Math.round(r.entries / (performance.now() - t) * 1000), 'cpu ms', (u.user + u.system) / 1000);
    const text = await textOf(audit.export({ format: 'ndjson', tenantId: 'every' }));
    c = process.cpuUsage(); t = performance.now();
    const o = await verifyAuditLog([text], { publicKeys: [key.publicKey] });
    u = process.cpuUsage(c);
    console.log('offline', o.valid, o.entries, Math.round(o.entries / (performance.now() - t) * 1000), 'cpu ms', (u.user + u.system) / 1000);
  }
  await database.asOwner(async (trx) => {
    await sql.raw(`insert into svc_audit.pending (tenant_id, id, at_ms, event) select tenant_id, id, 0, substr(body, strpos(body, '"event":') + 8, length(body) - strpos(body, '"event":') - 8) from svc_audit.entries limit 10000`).execute(trx);
    const { rows } = await sql.raw<any>(`explain (analyze, timing) delete from svc_audit.pending`).execute(trx);
    console.log(rows.map((r) => JSON.stringify(r)).join('\n'));
  });
});
