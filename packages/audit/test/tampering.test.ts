import type { Trx } from '@svc/db';
import { databaseTest, type TestDatabase } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { hashLeaf, verifyAuditLog } from '../src/index.ts';
import { bodyOf, type EntryBody, genesisOf, linkOf, toChain } from '../src/entry.ts';
import { auditMigrations } from '../src/migrations.ts';
import { toSealedRow } from '../src/seal.ts';
import { event, fill, key, kindsOf, openAudit, someTenant, textOf } from './open-audit.ts';

// Whoever owns the tables can switch every guard off: what they do then must show.
const test = databaseTest([auditMigrations]);

function tamper(database: TestDatabase, change: (trx: Trx) => Promise<unknown>): Promise<void> {
  return database.asOwner(async (trx) => {
    await sql`alter table svc_audit.entries disable trigger user`.execute(trx);
    await change(trx);
    await sql`alter table svc_audit.entries enable trigger user`.execute(trx);
  });
}

/** A log of ten entries for a tenant, and what verifying finds, from the database and offline. */
async function openLog(db: TestDatabase['db']) {
  const { audit, clock } = openAudit(db);
  const tenantId = someTenant();
  await fill(audit, null, 1);
  await fill(audit, tenantId, 10);
  return {
    audit,
    clock,
    tenantId,
    async found() {
      const result = await audit.verify({ tenantId });
      const text = await textOf(audit.export({ format: 'ndjson', tenantId }));
      const offline = await verifyAuditLog([text], { publicKeys: [key.publicKey], tenantId });
      expect(offline.problems).toEqual(result.problems);
      expect(result.valid).toBe(result.problems.length === 0);
      return kindsOf(result);
    },
    /** The bodies, by sequence number. */
    async bodies() {
      const rows = await db
        .selectFrom('svc_audit.entries')
        .select(['seq', 'body'])
        .where('tenant_id', '=', tenantId)
        .orderBy('seq')
        .execute();
      return new Map(rows.map((row) => [Number(row.seq), row.body as string]));
    },
  };
}

/** The row of a body, its columns filed right. */
function rowOf(body: string, hash: string) {
  const { chain, event } = JSON.parse(body) as EntryBody;
  const row = {
    tenant_id: toChain(chain.tenantId),
    id: event.id,
    at_ms: chain.at,
    event: JSON.stringify(event),
    personal: null,
  };
  return toSealedRow(row, { body, hash, seq: chain.seq });
}

const setBody = (trx: Trx, tenantId: string, seq: number, body: string, hash?: string) =>
  trx
    .updateTable('svc_audit.entries')
    .set(hash === undefined ? { body, type: rowOf(body, '').type } : rowOf(body, hash))
    .where('tenant_id', '=', tenantId)
    .where('seq', '=', seq)
    .execute();

/** Writes the chain anew from `seq` on, each entry changed by `change`, with hashes that fit. */
async function rewrite(
  trx: Trx,
  tenantId: string,
  bodies: ReadonlyMap<number, string>,
  change: (body: string, seq: number) => string,
): Promise<string> {
  let previous = genesisOf(tenantId);
  for (const [seq, body] of bodies) {
    const link = linkOf(body);
    if (link === undefined) throw new Error('no link');
    const event = change(body, seq).slice(bodyOf(link, '').length - 1, -1);
    const changed = bodyOf({ ...link, ...linkOf(change(body, seq)), previous }, event);
    previous = hashLeaf(changed);
    await setBody(trx, tenantId, seq, changed, previous);
  }
  return previous;
}

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
  await expect(log.audit.seal()).rejects.toThrow('entries_pkey');
  expect((await log.audit.search({ tenantId: other })).items).toHaveLength(1);
  expect(await log.audit.verify({ tenantId: log.tenantId })).toMatchObject({ valid: false });
  await database.asOwner((trx) =>
    trx.deleteFrom('svc_audit.pending').where('tenant_id', '=', log.tenantId).execute(),
  );
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
