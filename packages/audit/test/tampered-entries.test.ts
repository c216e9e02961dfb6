import { databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { hashLeaf, verifyAuditLog } from '../src/index.ts';
import { bodyOf, genesisOf, linkOf } from '../src/entry.ts';
import { auditMigrations } from '../src/migrations.ts';
import { event, fill, key, kindsOf, openAudit, someTenant, textOf } from './open-audit.ts';
import { openLog, rewrite, rowOf, setBody, tamper } from './tampered-log.ts';

const test = databaseTest([auditMigrations]);

test('a log that nobody touched verifies', async ({ db }) => {
  const log = await openLog(db);
  expect(await log.found()).toEqual([]);
});

test('an edited entry is found', async ({ db, database }) => {
  const log = await openLog(db);
  const body = (await log.bodies()).get(4) as string;
  await tamper(database, (trx) =>
    setBody(trx, log.tenantId, 4, body.replace('projects.deleted', 'projects.created')),
  );
  expect(await log.found()).toContain('edited');
});

test('an edited entry with a new hash is found', async ({ db, database }) => {
  const log = await openLog(db);
  const body = (await log.bodies())
    .get(4)
    ?.replace('projects.deleted', 'projects.created') as string;
  await tamper(database, (trx) => setBody(trx, log.tenantId, 4, body, hashLeaf(body)));
  expect(await log.found()).toContain('broken_link');
});

test('a deleted entry is found', async ({ db, database }) => {
  const log = await openLog(db);
  await tamper(database, (trx) =>
    trx
      .deleteFrom('svc_audit.entries')
      .where('tenant_id', '=', log.tenantId)
      .where('seq', '=', 4)
      .execute(),
  );
  expect(await log.found()).toContain('deleted');
});

test('deleted first entries are found, and no common checkpoint can pass them off as retention', async ({
  db,
  database,
}) => {
  const log = await openLog(db);
  const checkpoint = (await log.audit.checkpoints({ tenantId: log.tenantId })).items.at(-1);
  const size = checkpoint?.size as number;
  await tamper(database, async (trx) => {
    await trx
      .deleteFrom('svc_audit.entries')
      .where('tenant_id', '=', log.tenantId)
      .where('seq', '<=', size)
      .execute();
  });
  expect(await log.found()).toContain('deleted');
  await tamper(database, (trx) =>
    trx
      .updateTable('svc_audit.chains')
      .set({ purged_size: size, purged_note: checkpoint?.note })
      .where('tenant_id', '=', log.tenantId)
      .execute(),
  );
  expect(await log.found()).toContain('deleted');
});

test('an inserted entry is found', async ({ db, database }) => {
  const log = await openLog(db);
  const bodies = await log.bodies();
  const before = linkOf(bodies.get(10) as string);
  if (before === undefined) throw new Error('no link');
  const event = (bodies.get(10) as string)
    .slice(bodyOf(before, '').length - 1, -1)
    .replace(/"id":"[^"]*","outcome"/, `"id":"${crypto.randomUUID()}","outcome"`);
  await tamper(database, async (trx) => {
    const body = bodyOf(
      { ...before, seq: 11, previous: hashLeaf(bodies.get(10) as string) },
      event,
    );
    await trx
      .insertInto('svc_audit.entries')
      .values(rowOf(body, hashLeaf(body)))
      .execute();
  });
  expect(await log.found()).toEqual(['unsigned_tail']);
});

test('an entry inserted in the middle, with all that follows moved up, is found', async ({
  db,
  database,
}) => {
  const log = await openLog(db);
  const bodies = await log.bodies();
  await tamper(database, async (trx) => {
    await trx.deleteFrom('svc_audit.entries').where('tenant_id', '=', log.tenantId).execute();
    let previous = genesisOf(log.tenantId);
    const order = [1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    for (const [index, source] of order.entries()) {
      const link = linkOf(bodies.get(source) as string);
      if (link === undefined) throw new Error('no link');
      const event = (bodies.get(source) as string)
        .slice(bodyOf(link, '').length - 1, -1)
        .replace(/"id":"[^"]*","outcome"/, `"id":"${crypto.randomUUID()}","outcome"`);
      const body = bodyOf({ ...link, seq: index + 1, previous }, event);
      previous = hashLeaf(body);
      await trx.insertInto('svc_audit.entries').values(rowOf(body, previous)).execute();
    }
  });
  expect(await log.found()).toContain('rewritten');
});

test('reordered entries are found', async ({ db, database }) => {
  const log = await openLog(db);
  const bodies = await log.bodies();
  const [four, five] = [bodies.get(4) as string, bodies.get(5) as string];
  const renumber = (body: string, seq: number) => body.replace(/"seq":\d+/, `"seq":${seq}`);
  await tamper(database, async (trx) => {
    await trx
      .deleteFrom('svc_audit.entries')
      .where('tenant_id', '=', log.tenantId)
      .where('seq', 'in', [4, 5])
      .execute();
    for (const body of [renumber(five, 4), renumber(four, 5)])
      await trx
        .insertInto('svc_audit.entries')
        .values(rowOf(body, hashLeaf(body)))
        .execute();
  });
  expect(await log.found()).toContain('broken_link');
});

test('reordered lines of an export are found', async ({ db }) => {
  const log = await openLog(db);
  const text = await textOf(log.audit.export({ format: 'ndjson', tenantId: log.tenantId }));
  const lines = text.trimEnd().split('\n');
  const [one, two] = lines.splice(-4, 2) as [string, string];
  lines.splice(-2, 0, two, one);
  const result = await verifyAuditLog([lines.join('\n')], { publicKeys: [key.publicKey] });
  expect(kindsOf(result)).toContain('reordered');
});

test('a clock that was set back while sealing is found', async ({ db }) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  await fill(audit, tenantId, 2);
  const { audit: later, clock } = openAudit(db, { checkpointEvery: '0s' });
  await clock.advance('2h');
  await fill(later, tenantId, 2);
  await fill(audit, tenantId, 2);
  expect(kindsOf(await audit.verify({ tenantId }))).toEqual(['clock_rollback']);
});

test('times that were set back in the table are found, whether or not the hashes fit', async ({
  db,
  database,
}) => {
  const log = await openLog(db);
  const bodies = await log.bodies();
  const setBack = (body: string, seq: number) =>
    seq >= 7 ? body.replace(/"sealedAt":\d+/, '"sealedAt":1700000000000') : body;
  await tamper(database, (trx) => rewrite(trx, log.tenantId, bodies, setBack));
  expect(await log.found()).toEqual(expect.arrayContaining(['clock_rollback', 'rewritten']));
});

test('clocks that differ by less than a minute between processes are no rollback', async ({
  db,
}) => {
  const { audit, clock } = openAudit(db);
  const { audit: behind } = openAudit(db);
  const tenantId = someTenant();
  await clock.advance('59s');
  await fill(audit, tenantId, 2);
  await fill(behind, tenantId, 2);
  expect((await audit.verify({ tenantId })).problems).toEqual([]);
});

test('a personal value that was exchanged is found', async ({ db, database }) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  await audit.append({
    type: 'auth.login.failed',
    actor: { type: 'anonymous', id: null },
    tenantId,
    personal: { address: '192.0.2.1' },
  });
  await audit.seal();
  await database.asOwner((trx) =>
    sql`update svc_audit.personal set fields = jsonb_set(fields, '{address,value}', '"192.0.2.2"') where tenant_id = ${tenantId}`.execute(
      trx,
    ),
  );
  expect(kindsOf(await audit.verify({ tenantId }))).toEqual(['personal_changed']);
});

test.for([
  ['tenant_id', '0199b999-0000-7000-8000-000000000000'],
  ['seq', 99],
  ['id', '0199b999-0000-7000-8000-000000000000'],
  ['at', new Date(0)],
  ['type', 'projects.created'],
  ['outcome', 'failure'],
  ['actor_type', 'system'],
  ['actor_id', null],
  ['actor_id', 'somebody'],
  ['target_type', 'user'],
  ['target_id', null],
  ['target_id', 'p2'],
])(
  'an entry that is hidden from searches by another %s is found',
  async ([column, value], { db, database }) => {
    const log = await openLog(db);
    await tamper(database, (trx) =>
      trx
        .updateTable('svc_audit.entries')
        .set({ [column as string]: value })
        .where('tenant_id', '=', log.tenantId)
        .where('seq', '=', 10)
        .execute(),
    );
    const kinds = kindsOf(await log.audit.verify({ tenantId: log.tenantId }));
    expect(kinds).toContain(column === 'tenant_id' ? 'truncated' : 'misfiled');
  },
);

test('entries with every kind of text are filed right', async ({ db }) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  for (const odd of [
    '"',
    '\\',
    '\n',
    '\u001f',
    '\u2028',
    'ä€😀',
    '%_',
    '","type":"x"},"details":{',
    '/',
  ])
    await audit.append(
      event({
        tenantId,
        actor: { type: 'user', id: odd, reason: odd },
        target: { type: odd, id: odd },
        requestId: odd,
        details: { [odd]: odd, id: odd, outcome: odd },
        personal: { [odd]: odd },
      }),
    );
  await audit.append(event({ tenantId, actor: { type: 'anonymous', id: null } }));
  await audit.seal();
  expect((await audit.verify({ tenantId })).problems).toEqual([]);
});

test('whatever stands in a file, verifying it is an answer and no crash', async () => {
  const options = { publicKeys: [key.publicKey] };
  for (const line of [
    'hello',
    '{}',
    'null',
    '[]',
    '{"chain":null}',
    '{"chain":{"tenantId":null,"head":"x","purged":"y","frontier":[]}}',
    '{"entry":{"chain":{}},"hash":"00"}',
    '{"chain":{"tenantId":null,"head":null,"purged":null,"frontier":[]}}\n{"entry":{"chain":1},"hash":"0","personal":{"a":1}}',
    `{"chain":{"tenantId":null,"head":null,"purged":null,"frontier":[]}}\n{"entry":x,"hash":"${'0'.repeat(64)}"}`,
  ]) {
    expect(await verifyAuditLog([line], options)).toMatchObject({ valid: false });
  }
  expect(await verifyAuditLog([], { ...options, tenantId: null })).toMatchObject({ valid: false });
});

test.for([
  ['target_type', null],
  ['at', sql`'infinity'`],
  ['at', sql`'-infinity'`],
] as const)(
  'an entry that is hidden from searches by %s = %j is found, and verifying is an answer',
  async ([column, value], { db, database }) => {
    const log = await openLog(db);
    await tamper(database, (trx) =>
      sql`update svc_audit.entries set ${sql.ref(column)} = ${value} where tenant_id = ${log.tenantId} and seq = 9`.execute(
        trx,
      ),
    );
    expect(await log.audit.verify({ tenantId: log.tenantId })).toMatchObject({
      valid: false,
      problems: [{ kind: 'misfiled', seq: 9 }],
    });
  },
);

test('the table refuses an entry with half a target', async ({ db, database }) => {
  await database.asOwner((trx) =>
    sql`alter table svc_audit.entries add constraint entries_target check ((target_type is null) = (target_id is null)) not valid`
      .execute(trx)
      .catch(() => {}),
  );
  const log = await openLog(db);
  const row = rowOf((await log.bodies()).get(1) as string, '');
  await expect(
    db
      .insertInto('svc_audit.entries')
      .values({ ...row, seq: 99, id: crypto.randomUUID(), target_type: null })
      .execute(),
  ).rejects.toThrow('entries_target');
});

test('an entry with a member twice is found, in the database and in an export, with and without personal values', async ({
  db,
  database,
}) => {
  for (const personal of [{}, { address: '192.0.2.1' }]) {
    const { audit } = openAudit(db);
    const tenantId = someTenant();
    await audit.append(event({ tenantId, personal }));
    await audit.append(event({ tenantId, personal }));
    await audit.seal();
    const text = await textOf(audit.export({ format: 'ndjson', tenantId }));
    const twice = (body: string) =>
      body.replace(
        '"type":"projects.deleted"}}',
        '"type":"projects.read","type":"projects.deleted"}}',
      );
    const spaced = (body: string) => body.replace('"outcome":', '"outcome": ');
    for (const change of [twice, spaced]) {
      expect(change(text)).not.toBe(text);
      const offline = await verifyAuditLog([change(text)], { publicKeys: [key.publicKey] });
      expect(kindsOf(offline)).toContain('edited');
    }
    await tamper(database, (trx) =>
      sql`update svc_audit.entries set body = replace(body, '"type":"projects.deleted"}}', '"type":"projects.read","type":"projects.deleted"}}')
        where tenant_id = ${tenantId}`.execute(trx),
    );
    expect(kindsOf(await audit.verify({ tenantId }))).toContain('edited');
  }
});

test('an entry that smuggles a second one behind itself is found', async ({ db, database }) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  await audit.append(event({ tenantId, personal: { address: '192.0.2.1' } }));
  await audit.seal();
  await tamper(database, (trx) =>
    sql`update svc_audit.entries set body = body || ',"hash":"' || hash || '","personal":{},"x":1'
      where tenant_id = ${tenantId}`.execute(trx),
  );
  expect(await audit.verify({ tenantId })).toMatchObject({ valid: false });
});

test('personal values that were taken out of an export are found, unless it is said that they were', async ({
  db,
}) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  await audit.append(event({ tenantId, personal: { address: '192.0.2.1' } }));
  const text = await textOf(audit.export({ format: 'ndjson', tenantId }));
  const bare = text.replace(/,"personal":\{"address": .*\}\}$/m, '}');
  const options = { publicKeys: [key.publicKey] };
  expect(await verifyAuditLog([text], options)).toMatchObject({ valid: true, erased: 0 });
  expect(kindsOf(await verifyAuditLog([bare], options))).toEqual(['erased_unrecorded']);
  expect(await verifyAuditLog([bare], { ...options, withheld: true })).toMatchObject({
    valid: true,
    erased: 1,
  });
});
