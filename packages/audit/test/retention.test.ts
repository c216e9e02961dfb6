import { testClock } from '@svc/core/testing';
import { databaseTest, type TestDatabase } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { verifyAuditLog } from '../src/index.ts';
import { auditMigrations } from '../src/migrations.ts';
import { event, fill, key, kindsOf, openAudit, someTenant, textOf } from './open-audit.ts';

const test = databaseTest([auditMigrations]);
// One for the file: its tests share the service's own chain, whose time must not run backwards.
const clock = testClock();

async function purgedLog(db: TestDatabase['db'], database: TestDatabase) {
  const log = openAudit(db, { clock, checkpointEvery: '0s' });
  const tenantId = someTenant();
  await log.audit.append(event({ tenantId, personal: { email: 'old@example.com' } }));
  await fill(log.audit, tenantId, 6);
  const [old] = (await log.audit.checkpoints({ tenantId })).items;
  await clock.advance('400d');
  const before = clock.now();
  await fill(log.audit, tenantId, 6);
  const purge = () => database.asOwner((trx) => log.audit.purge({ before, tenantId, db: trx }));
  return { ...log, tenantId, old: old?.note as string, purge };
}

test('old entries go with their personal values, and the rest still verifies, here and offline', async ({
  db,
  database,
}) => {
  const { audit, tenantId, purge } = await purgedLog(db, database);
  expect(await purge()).toBe(7);
  expect(await purge()).toBe(0);
  await audit.seal();
  const { items } = await audit.search({ tenantId });
  expect(items.map((item) => item.seq)).toEqual([14, 13, 12, 11, 10, 9, 8]);
  expect(items[0]).toMatchObject({
    type: 'audit.entries.purged',
    details: { upTo: 7, entries: 7 },
  });
  const result = await audit.verify({ tenantId });
  expect(result).toMatchObject({ valid: true, entries: 7 });
  expect(result.chains[0]?.size).toBe(14);
  const text = await textOf(audit.export({ format: 'ndjson', tenantId }));
  expect(await verifyAuditLog([text], { publicKeys: [key.publicKey] })).toEqual(result);
  const kept = await db
    .selectFrom('svc_audit.personal')
    .select('entry_id')
    .where('tenant_id', '=', tenantId)
    .execute();
  expect(kept).toEqual([]);
});

test('after a purge, truncation and edits of the rest are still found', async ({
  db,
  database,
}) => {
  const { audit, tenantId, purge } = await purgedLog(db, database);
  await purge();
  await audit.seal();
  const text = await textOf(audit.export({ format: 'ndjson', tenantId }));
  const lines = text.trimEnd().split('\n');
  const verify = async (some: readonly string[]) =>
    kindsOf(await verifyAuditLog([some.join('\n')], { publicKeys: [key.publicKey] }));
  expect(await verify(lines)).toEqual([]);
  expect(await verify(lines.slice(0, -1))).toEqual(['truncated']);
  expect(await verify(lines.map((line) => line.replace('"upTo":7', '"upTo":6')))).toContain(
    'edited',
  );
  const first = lines.findIndex((line) => line.startsWith('{"entry":'));
  expect(await verify(lines.toSpliced(first, 1))).toContain('deleted');
});

test('a checkpoint from before a purge does not make the log invalid', async ({ db, database }) => {
  const { audit, tenantId, old, purge } = await purgedLog(db, database);
  await purge();
  expect(await audit.verify({ tenantId, checkpoints: [old] })).toMatchObject({ valid: true });
});

test('all entries may go; the end stays, and the chain goes on from it', async ({
  db,
  database,
}) => {
  const { audit, tenantId } = await purgedLog(db, database);
  await clock.advance('1d');
  await database.asOwner((trx) => audit.purge({ before: clock.now(), tenantId, db: trx }));
  await fill(audit, tenantId, 2);
  const result = await audit.verify({ tenantId });
  expect(result).toMatchObject({ valid: true, entries: 3 });
  expect(result.chains[0]?.size).toBe(16);
});

test("after a purge of the service's own chain it still knows the others", async ({
  db,
  database,
}) => {
  const { audit, tenantId } = await purgedLog(db, database);
  await clock.advance('1d');
  await database.asOwner((trx) => audit.purge({ before: clock.now(), tenantId: null, db: trx }));
  expect((await audit.verify()).problems).toEqual([]);
  const { items } = await audit.search({ tenantId: null, targetId: tenantId });
  expect(items).toMatchObject([{ type: 'audit.chain.checkpointed', details: { size: 13 } }]);
});

test('a log that does not verify is not purged', async ({ db, database }) => {
  const { audit, tenantId, purge } = await purgedLog(db, database);
  await database.asOwner(async (trx) => {
    await sql`alter table svc_audit.entries disable trigger user`.execute(trx);
    await sql`update svc_audit.entries set body = replace(body, 'projects.deleted', 'projects.created') where tenant_id = ${tenantId} and seq = 3`.execute(
      trx,
    );
    await sql`alter table svc_audit.entries enable trigger user`.execute(trx);
  });
  await expect(purge()).rejects.toMatchObject({ code: 'audit.broken' });
  expect((await audit.search({ tenantId })).items).toHaveLength(13);
});

test("the app's role cannot purge", async ({ db, database }) => {
  const { audit, tenantId } = await purgedLog(db, database);
  await expect(audit.purge({ before: clock.now(), tenantId })).rejects.toMatchObject({
    code: 'audit.append_only',
  });
});
