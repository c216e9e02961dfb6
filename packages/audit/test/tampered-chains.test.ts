import { databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { hashLeaf, verifyAuditLog } from '../src/index.ts';
import { linkOf } from '../src/entry.ts';
import { auditMigrations } from '../src/migrations.ts';
import { event, fill, key, kindsOf, openAudit, someTenant, textOf } from './open-audit.ts';
import { openLog, rewrite, rowOf, tamper } from './tampered-log.ts';

const test = databaseTest([auditMigrations]);

test('truncation of the sealed tail is found', async ({ db, database }) => {
  const log = await openLog(db);
  await tamper(database, (trx) =>
    trx
      .deleteFrom('svc_audit.entries')
      .where('tenant_id', '=', log.tenantId)
      .where('seq', '>', 7)
      .execute(),
  );
  expect(await log.found()).toEqual(['truncated']);
});

test('truncation of the tail with the end of the chain adjusted is found by its signature', async ({
  db,
  database,
}) => {
  const log = await openLog(db);
  const bodies = await log.bodies();
  await tamper(database, async (trx) => {
    await trx
      .deleteFrom('svc_audit.entries')
      .where('tenant_id', '=', log.tenantId)
      .where('seq', '>', 7)
      .execute();
    const note = sql`regexp_replace(note, E'\n10\n', E'\n7\n')`;
    await trx
      .updateTable('svc_audit.chains')
      .set({ size: 7, head: hashLeaf(bodies.get(7) as string), note })
      .where('tenant_id', '=', log.tenantId)
      .execute();
  });
  expect(await log.found()).toContain('bad_signature');
});

test('a return to an earlier state with its own signed end is found by a checkpoint kept elsewhere', async ({
  db,
  database,
}) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  await fill(audit, tenantId, 3);
  const [earlier] = (await audit.checkpoints({ tenantId })).items;
  const row = await db
    .selectFrom('svc_audit.chains')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow();
  await fill(audit, tenantId, 6);
  const [later] = (await audit.checkpoints({ tenantId })).items;
  await tamper(database, async (trx) => {
    await trx
      .deleteFrom('svc_audit.entries')
      .where('tenant_id', '=', tenantId)
      .where('seq', '>', 3)
      .execute();
    await trx.updateTable('svc_audit.chains').set(row).where('tenant_id', '=', tenantId).execute();
  });
  expect(await audit.verify({ tenantId, checkpoints: [earlier?.note as string] })).toMatchObject({
    valid: true,
  });
  const result = await audit.verify({ tenantId, checkpoints: [later?.note as string] });
  expect(kindsOf(result)).toEqual(['truncated']);
});

test('the deletion of a whole chain is found', async ({ db, database }) => {
  const log = await openLog(db);
  await log.audit.seal();
  const [last] = (await log.audit.checkpoints({ tenantId: log.tenantId })).items;
  await tamper(database, async (trx) => {
    for (const table of ['entries', 'chains', 'checkpoints', 'personal'])
      await trx.deleteFrom(`svc_audit.${table}`).where('tenant_id', '=', log.tenantId).execute();
  });
  const every = await log.audit.verify();
  expect(every.problems).toContainEqual(
    expect.objectContaining({ kind: 'missing', tenantId: log.tenantId }),
  );
  expect(kindsOf(await log.audit.verify({ tenantId: log.tenantId }))).toEqual(['truncated']);
  const text = await textOf(log.audit.export({ format: 'ndjson', tenantId: 'every' }));
  const checkpoints = [last?.note as string];
  const offline = await verifyAuditLog([text], { publicKeys: [key.publicKey], checkpoints });
  const ofTenant = offline.problems.filter(({ tenantId }) => tenantId === log.tenantId);
  expect(ofTenant).toMatchObject([{ kind: 'missing' }]);
});

test("the deletion of the service's own chain is found by the chains it no longer knows", async ({
  db,
  database,
}) => {
  const log = await openLog(db);
  const service = '00000000-0000-0000-0000-000000000000';
  const saved = await Promise.all(
    ['entries', 'chains', 'checkpoints'].map((table) =>
      db.selectFrom(`svc_audit.${table}`).selectAll().where('tenant_id', '=', service).execute(),
    ),
  );
  await tamper(database, async (trx) => {
    for (const table of ['entries', 'chains', 'checkpoints'])
      await trx.deleteFrom(`svc_audit.${table}`).where('tenant_id', '=', service).execute();
  });
  expect((await log.audit.verify()).problems).toContainEqual(
    expect.objectContaining({ kind: 'missing', tenantId: log.tenantId }),
  );
  // The other tests of the file share the service's chain.
  await tamper(database, async (trx) => {
    const [entries = [], chains = [], checkpoints = []] = saved;
    for (const table of ['entries', 'chains', 'checkpoints'])
      await trx.deleteFrom(`svc_audit.${table}`).where('tenant_id', '=', service).execute();
    for (const { body, hash } of entries)
      await trx.insertInto('svc_audit.entries').values(rowOf(body, hash)).execute();
    await trx.insertInto('svc_audit.chains').values(chains).execute();
    await trx.insertInto('svc_audit.checkpoints').values(checkpoints).execute();
  });
  expect((await log.audit.verify({ tenantId: null })).valid).toBe(true);
});

test('the deletion of the end of a chain is found', async ({ db, database }) => {
  const log = await openLog(db);
  await tamper(database, (trx) =>
    trx.deleteFrom('svc_audit.chains').where('tenant_id', '=', log.tenantId).execute(),
  );
  expect(await log.found()).toContain('missing');
});

test('a fork, two entries with one place, is found', async ({ db, database }) => {
  const log = await openLog(db);
  const body = ((await log.bodies()).get(10) as string)
    .replace('projects.deleted', 'projects.created')
    .replace(/"id":"[^"]*","outcome"/, `"id":"${crypto.randomUUID()}","outcome"`);
  await tamper(database, async (trx) => {
    await sql`alter table svc_audit.entries drop constraint entries_pkey`.execute(trx);
    await trx
      .insertInto('svc_audit.entries')
      .values(rowOf(body, hashLeaf(body)))
      .execute();
  });
  expect(await log.found()).toContain('forked');
  await tamper(database, async (trx) => {
    await trx.deleteFrom('svc_audit.entries').where('hash', '=', hashLeaf(body)).execute();
    await sql`alter table svc_audit.entries add constraint entries_pkey primary key (tenant_id, seq)`.execute(
      trx,
    );
  });
});

test('a fork, two signed ends of one size, is found by a checkpoint kept elsewhere', async ({
  db,
  database,
}) => {
  const log = await openLog(db);
  const [kept] = (await log.audit.checkpoints({ tenantId: log.tenantId })).items;
  const bodies = await log.bodies();
  // Whoever has the signing key, too, can make a second history.
  await tamper(database, async (trx) => {
    for (const table of ['entries', 'chains', 'checkpoints'])
      await trx.deleteFrom(`svc_audit.${table}`).where('tenant_id', '=', log.tenantId).execute();
  });
  await fill(log.audit, log.tenantId, bodies.size);
  expect(await log.found()).toEqual([]);
  const result = await log.audit.verify({
    tenantId: log.tenantId,
    checkpoints: [kept?.note as string],
  });
  expect(kindsOf(result)).toContain('forked');
});

test('a chain written anew with hashes that fit is found by its signed end', async ({
  db,
  database,
}) => {
  const log = await openLog(db);
  const bodies = await log.bodies();
  await tamper(database, (trx) =>
    rewrite(trx, log.tenantId, bodies, (body, seq) =>
      seq === 4 ? body.replace('projects.deleted', 'projects.created') : body,
    ),
  );
  expect(await log.found()).toEqual(['rewritten']);
});

test('a splice of an entry of another tenant is found', async ({ db, database }) => {
  const log = await openLog(db);
  const other = await openLog(db);
  const foreign = (await other.bodies()).get(1) as string;
  const body = foreign.replace(other.tenantId, log.tenantId);
  await tamper(database, async (trx) => {
    await trx
      .deleteFrom('svc_audit.entries')
      .where('tenant_id', 'in', [log.tenantId, other.tenantId])
      .where('seq', '=', 1)
      .execute();
    await trx
      .insertInto('svc_audit.entries')
      .values(rowOf(body, hashLeaf(body)))
      .execute();
  });
  expect(await log.found()).toContain('broken_link');
  expect(await other.found()).toContain('deleted');
});

test('a chain that is passed off as that of another tenant is found', async ({ db }) => {
  const [log, other] = [await openLog(db), await openLog(db)];
  const text = await textOf(log.audit.export({ format: 'ndjson', tenantId: log.tenantId }));
  const moved = text.replace(
    `"chain":{"tenantId":"${log.tenantId}"`,
    `"chain":{"tenantId":"${other.tenantId}"`,
  );
  const result = await verifyAuditLog([moved], { publicKeys: [key.publicKey] });
  expect(kindsOf(result)).toContain('foreign');
  const asked = await verifyAuditLog([text], {
    publicKeys: [key.publicKey],
    tenantId: other.tenantId,
  });
  expect(kindsOf(asked)).toEqual(['foreign', 'missing']);
});

test('a damaged chain is reported and keeps no other from being sealed', async ({
  db,
  database,
}) => {
  const log = await openLog(db);
  const other = someTenant();
  await tamper(database, (trx) =>
    trx.deleteFrom('svc_audit.chains').where('tenant_id', '=', log.tenantId).execute(),
  );
  await log.audit.append({ ...event(), tenantId: log.tenantId });
  await log.audit.append({ ...event(), tenantId: other });
  await expect(log.audit.seal()).rejects.toThrow('it has checkpoints and no end');
  expect((await log.audit.search({ tenantId: other })).items).toHaveLength(1);
  const kinds = kindsOf(await log.audit.verify({ tenantId: log.tenantId }));
  expect(kinds).toEqual(expect.arrayContaining(['missing', 'unsealed']));
  expect(kindsOf(await log.audit.verify({ tenantId: other }))).toEqual([]);
  await tamper(database, (trx) =>
    trx.deleteFrom('svc_audit.pending').where('tenant_id', '=', log.tenantId).execute(),
  );
});

test('the first entries of two tenants follow different beginnings', async ({ db }) => {
  const logs = [await openLog(db), await openLog(db)];
  const previous = await Promise.all(
    logs.map(async (log) => linkOf((await log.bodies()).get(1) as string)?.previous),
  );
  expect(new Set(previous).size).toBe(2);
});
