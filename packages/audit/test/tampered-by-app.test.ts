import { recordEvents } from '@svc/core/testing';
import { transact } from '@svc/db';
import { databaseTest, type TestDatabase } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { hashLeaf, sealingFailed } from '../src/index.ts';
import { toPending } from '../src/event.ts';
import { bodyOf } from '../src/entry.ts';
import { auditMigrations } from '../src/migrations.ts';
import { event, fill, kindsOf, openAudit, someTenant } from './open-audit.ts';
import { openLog, rowOf } from './tampered-log.ts';

// What somebody can try who has the role of the running app, but neither the owner's nor the signing key.
const test = databaseTest([auditMigrations]);

type Change = (tenantId: string) => ReturnType<typeof sql>;
const column = (name: string, value: Change) => [name, value] as const;

const endChanges = [
  column('size', (id) => sql`update svc_audit.chains set size = size - 1 where tenant_id = ${id}`),
  column(
    'last hash',
    (id) => sql`update svc_audit.chains set head = repeat('0', 64) where tenant_id = ${id}`,
  ),
  column(
    'frontier',
    (id) => sql`update svc_audit.chains set frontier =
      translate(left(frontier, 1), '0123456789abcdef', '123456789abcdef0') || substr(frontier, 2)
      where tenant_id = ${id}`,
  ),
  column(
    'note',
    (id) => sql`update svc_audit.chains c set note = (
      select note from svc_audit.checkpoints k where k.tenant_id = c.tenant_id order by size limit 1)
      where tenant_id = ${id}`,
  ),
  column(
    'signature',
    (id) =>
      sql`update svc_audit.chains set note = split_part(note, E'\n\n', 1) || E'\n' where tenant_id = ${id}`,
  ),
  column(
    'whole row',
    (id) =>
      sql`update svc_audit.chains set size = 0, head = '', frontier = '', note = null where tenant_id = ${id}`,
  ),
];

async function restoring(
  db: TestDatabase['db'],
  tenantId: string,
  work: () => Promise<void>,
): Promise<void> {
  const row = await db
    .selectFrom('svc_audit.chains')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow();
  await work();
  await db.updateTable('svc_audit.chains').set(row).where('tenant_id', '=', tenantId).execute();
}

test.for(endChanges)(
  'nothing is signed behind a changed %s of a chain, verifying reports it, and what waits is sealed once it is mended',
  async ([, change], { db }) => {
    const log = await openLog(db);
    await log.audit.append(event({ tenantId: log.tenantId }));
    using failed = recordEvents(sealingFailed);
    await restoring(db, log.tenantId, async () => {
      await change(log.tenantId).execute(db);
      await expect(log.audit.seal()).rejects.toThrow('nothing is sealed behind the stored end');
      const kinds = kindsOf(await log.audit.verify({ tenantId: log.tenantId }));
      expect(kinds).toContain('unsealed');
      expect(kinds).toEqual(expect.arrayContaining([expect.stringMatching(/end_changed|bad_sig/)]));
      expect(failed.events).not.toHaveLength(0);
    });
    expect(await log.found()).toEqual([]);
    expect((await log.bodies()).size).toBe(11);
  },
);

test('a changed end is found where nothing waits, too', async ({ db }) => {
  const log = await openLog(db);
  await restoring(db, log.tenantId, async () => {
    await sql`update svc_audit.chains set size = size - 1 where tenant_id = ${log.tenantId}`.execute(
      db,
    );
    expect(await log.found()).toEqual(['end_changed']);
  });
  expect(await log.found()).toEqual([]);
});

test('a waiting event cannot be removed, not with a chain that is kept from being sealed', async ({
  db,
}) => {
  const log = await openLog(db);
  await log.audit.append(event({ tenantId: log.tenantId }));
  const remove = () =>
    sql`delete from svc_audit.pending where tenant_id = ${log.tenantId}`.execute(db);
  await restoring(db, log.tenantId, async () => {
    await sql`update svc_audit.chains set size = size - 1 where tenant_id = ${log.tenantId}`.execute(
      db,
    );
    await log.audit.seal().catch(() => {});
    await expect(remove()).rejects.toThrow('not sealed');
  });
  await transact(db, async (trx) => {
    await sql`select from svc_audit.chains where tenant_id = ${log.tenantId} for update`.execute(
      trx,
    );
    await expect(remove()).rejects.toThrow('not sealed');
  });
  expect(await log.found()).toEqual([]);
  expect((await log.bodies()).size).toBe(11);
});

test('a made-up entry by which a waiting event is removed is found', async ({ db }) => {
  const log = await openLog(db);
  const id = crypto.randomUUID();
  const { at_ms, event: text } = toPending(event(), {
    id,
    atMs: 1,
    random: () => Buffer.alloc(16),
  });
  await log.audit.append(event({ tenantId: log.tenantId }));
  const [row] = await db
    .selectFrom('svc_audit.pending')
    .select(['id', 'event'])
    .where('tenant_id', '=', log.tenantId)
    .execute();
  const insert = async (waitingId: string, waiting: string) => {
    const previous = hashLeaf((await log.bodies()).get(10) as string);
    const link = { at: Number(at_ms), previous, sealedAt: 1, seq: 11, tenantId: log.tenantId };
    const body = bodyOf(link, waiting);
    return { ...rowOf(body, hashLeaf(body)), id: waitingId };
  };
  const remove = () =>
    sql`delete from svc_audit.pending where tenant_id = ${log.tenantId}`.execute(db);
  // One that says something else does not do.
  await expect(
    transact(db, async (trx) => {
      await trx
        .insertInto('svc_audit.entries')
        .values(await insert(row?.id, text))
        .execute();
      await sql`delete from svc_audit.pending where tenant_id = ${log.tenantId}`.execute(trx);
    }),
  ).rejects.toThrow('not sealed');
  await db
    .insertInto('svc_audit.entries')
    .values(await insert(row?.id, row?.event))
    .execute();
  await remove();
  expect(await log.found()).toEqual(expect.arrayContaining(['unsigned_tail', 'clock_rollback']));
});

test('a chain that somebody keeps locked is reported: by verifying, by an event, by the health check', async ({
  db,
  database,
}) => {
  const { audit, clock } = openAudit(db);
  const tenantId = someTenant();
  await fill(audit, tenantId, 3);
  using failed = recordEvents(sealingFailed);
  await audit.start();
  await expect.poll(() => clock.sleeping).toBe(1);
  await transact(db, async (trx) => {
    await sql`select from svc_audit.chains where tenant_id = ${tenantId} for update`.execute(trx);
    await audit.append(event({ tenantId }));
    await clock.advance('1s');
    await expect.poll(() => clock.sleeping).toBe(1);
    await audit.health();
    expect(failed.events).toEqual([]);
    await database.asOwner((owner) =>
      sql`update svc_audit.pending set appended_at = appended_at - interval '6 seconds'`.execute(
        owner,
      ),
    );
    await expect(audit.health()).rejects.toMatchObject({ code: 'audit.sealing_behind' });
    await audit.health('1m');
    await clock.advance('1s');
    await expect.poll(() => failed.events.at(-1)?.payload).toEqual({ step: 'lag' });
    expect(kindsOf(await audit.verify({ tenantId }))).toEqual(['unsealed']);
  });
  await audit.stop();
  await audit.health();
  expect(await audit.verify({ tenantId })).toMatchObject({ valid: true, entries: 4 });
});

test('a chain that somebody is about to make keeps no other from being sealed', async ({ db }) => {
  const { audit } = openAudit(db);
  const [held, other] = [someTenant(), someTenant()];
  await transact(db, async (trx) => {
    await sql`insert into svc_audit.chains (tenant_id, size, head, frontier) values (${held}, 0, '', '')`.execute(
      trx,
    );
    for (const tenantId of [held, other]) await audit.append(event({ tenantId }));
    await expect(audit.seal()).rejects.toThrow('lock timeout');
    expect((await audit.search({ tenantId: other })).items).toHaveLength(1);
    throw new Error('never mind');
  }).catch(({ message }) => expect(message).toBe('never mind'));
  await audit.seal();
  expect(await audit.verify({ tenantId: held })).toMatchObject({ valid: true, entries: 1 });
});

test('personal values that were deleted without an erasure are found', async ({ db }) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  const personal = { email: 'ada@example.com' };
  for (const id of ['ada', 'bob', 'eve'])
    await audit.append(event({ tenantId, actor: { type: 'user', id }, personal }));
  await audit.seal();
  await audit.erase({ userId: 'ada', by: { type: 'user', id: 'officer' } });
  expect(await audit.verify({ tenantId })).toMatchObject({ valid: true, erased: 1 });
  const [entry] = (await audit.search({ tenantId, actorId: 'bob' })).items;
  await transact(db, async (trx) => {
    await sql`select set_config('svc_audit.erasing', 'on', true)`.execute(trx);
    await sql`delete from svc_audit.personal where entry_id = ${entry?.id}`.execute(trx);
  });
  const result = await audit.verify({ tenantId });
  expect(result.problems).toMatchObject([{ kind: 'erased_unrecorded', seq: entry?.seq }]);
});

test('personal values that were deleted while their event waited are found', async ({ db }) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  await audit.append(event({ tenantId, personal: { email: 'ada@example.com' } }));
  await transact(db, async (trx) => {
    await sql`select set_config('svc_audit.erasing', 'on', true)`.execute(trx);
    await sql`update svc_audit.pending set personal = null where tenant_id = ${tenantId}`.execute(
      trx,
    );
  });
  expect(kindsOf(await audit.verify({ tenantId }))).toEqual(['erased_unrecorded']);
});

test('a changed frontier behind removed entries is not signed by the next purge', async ({
  db,
  database,
}) => {
  const log = await openLog(db);
  const purge = async () => {
    await log.clock.advance('1d');
    const [before, { tenantId }] = [log.clock.now(), log];
    return database.asOwner((trx) => log.audit.purge({ before, tenantId, db: trx }));
  };
  expect(await purge()).toBe(10);
  await fill(log.audit, log.tenantId, 3);
  const flip = sql`update svc_audit.chains set purged_frontier =
    translate(left(purged_frontier, 1), '0123456789abcdef', '123456789abcdef0') || substr(purged_frontier, 2)
    where tenant_id = ${log.tenantId}`;
  await restoring(db, log.tenantId, async () => {
    await flip.execute(db);
    expect(kindsOf(await log.audit.verify({ tenantId: log.tenantId }))).toContain('end_changed');
    await expect(purge()).rejects.toMatchObject({ code: 'audit.broken' });
  });
  expect(await purge()).toBe(4);
  await log.audit.seal();
  expect(await log.found()).toEqual([]);
});
