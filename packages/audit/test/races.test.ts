import { transact } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { verifyAuditLog } from '../src/index.ts';
import { auditMigrations } from '../src/migrations.ts';
import { event, fill, key, openAudit, someTenant } from './open-audit.ts';

// On a real PostgreSQL only: PGlite has one connection and cannot show a race.
const test = databaseTest([auditMigrations]);
const fifty = <Result>(act: (index: number) => Promise<Result>) =>
  Promise.all(Array.from({ length: 50 }, (_, index) => act(index)));

test('fifty that append and seal at once make one chain, without a gap or a fork', async ({
  db,
}) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  await fifty(async (index) => {
    await audit.append(event({ tenantId, details: { index } }));
    await audit.seal();
    await audit.append(event({ tenantId, details: { index } }));
  });
  await audit.seal();
  const result = await audit.verify({ tenantId });
  expect(result).toMatchObject({ valid: true, entries: 100 });
  expect(result.chains[0]?.size).toBe(100);
});

test('what was appended before seal is sealed when it resolves, whoever sealed it', async ({
  db,
}) => {
  const { audit } = openAudit(db);
  await fifty(async () => {
    const tenantId = someTenant();
    await audit.append(event({ tenantId }));
    await audit.seal();
    expect((await audit.search({ tenantId })).items).toHaveLength(1);
  });
});

test('an event of a transaction that commits late is not lost, though later ones are sealed', async ({
  db,
}) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  await transact(db, async (trx) => {
    await audit.append(event({ tenantId, type: 'late.one' }), { within: trx });
    await fill(audit, tenantId, 5);
    expect((await audit.search({ tenantId })).items).toHaveLength(5);
  });
  await audit.seal();
  const { items } = await audit.search({ tenantId, type: 'late.one' });
  expect(items.map((item) => item.seq)).toEqual([6]);
  expect(await audit.verify({ tenantId })).toMatchObject({ valid: true, entries: 6 });
});

test('appending waits for no transaction that has appended and not committed', async ({ db }) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  await transact(db, async (trx) => {
    await audit.append(event({ tenantId }), { within: trx });
    await Promise.all(
      Array.from({ length: 5 }, () =>
        transact(db, (other) => audit.append(event({ tenantId }), { within: other })),
      ),
    );
  });
  await audit.seal();
  expect((await audit.search({ tenantId })).items).toHaveLength(6);
});

test('what is erased while it is being sealed stays erased', async ({ db }) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  const by = { type: 'system', id: null } as const;
  const personal = { email: 'ada@example.com' };
  await fifty(async (index) => {
    const actor = { type: 'user', id: `user-${index}` } as const;
    await audit.append(event({ tenantId, actor, personal }));
    await Promise.all([audit.seal(), audit.erase({ userId: actor.id, by }), audit.seal()]);
  });
  await audit.seal();
  const { items } = await audit.search({ tenantId, type: 'projects.deleted' });
  expect(new Set(items.map((item) => item.personal['email']))).toEqual(new Set([null]));
  expect(await audit.verify({ tenantId })).toMatchObject({ valid: true, erased: 50 });
});

test('what a sealer has taken and not committed is erased, too', async ({ db, database }) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  const by = { type: 'system', id: null } as const;
  const actor = { type: 'user', id: 'mid-seal' } as const;
  await audit.append(event({ tenantId, actor, personal: { email: 'ada@example.com' } }));
  const waitingFor = (lock: string, count: number) =>
    expect
      .poll(async () => {
        const { rows } = await sql<{ n: bigint }>`
          select count(*) as n from pg_locks where not granted and locktype = ${lock}`.execute(db);
        return Number(rows[0]?.n);
      })
      .toBe(count);
  const done = await database.asOwner(async (trx) => {
    // It takes the event, and stops before it can keep the personal values.
    await sql`lock table svc_audit.personal in share mode`.execute(trx);
    const sealing = audit.seal();
    await waitingFor('relation', 1);
    const erasing = audit.erase({ userId: actor.id, by });
    await waitingFor('transactionid', 1);
    return { sealing, erasing };
  });
  expect(await done.erasing).toBe(1);
  await done.sealing;
  const [entry] = (await audit.search({ tenantId, type: 'projects.deleted' })).items;
  expect(entry?.personal).toEqual({ email: null });
});

test('fifty processes that anchor at once hand each checkpoint over once', async ({ db }) => {
  const anchored: string[] = [];
  const logs = Array.from({ length: 10 }, () =>
    openAudit(db, { anchor: async ({ note }) => void anchored.push(note), checkpointEvery: '0s' }),
  );
  const tenantId = someTenant();
  await fifty(async (index) => {
    const { audit } = logs[index % 10] as (typeof logs)[number];
    await audit.append(event({ tenantId }));
    await audit.start();
    await audit.stop();
  });
  expect(anchored.length).toBeGreaterThan(0);
  expect(new Set(anchored).size).toBe(anchored.length);
});

test('purging and verifying at once never reports a problem that is none', async ({
  database,
  db,
}) => {
  const { audit, clock } = openAudit(db);
  const tenantId = someTenant();
  await fill(audit, tenantId, 30);
  await clock.advance('2d');
  const results = await Promise.allSettled([
    ...Array.from({ length: 10 }, () => audit.verify({ tenantId })),
    database.asOwner((trx) => audit.purge({ before: clock.now(), tenantId, db: trx })),
    ...Array.from({ length: 10 }, () => audit.verify({ tenantId })),
  ]);
  for (const result of results) {
    if (result.status === 'rejected')
      expect(result.reason).toMatchObject({ code: 'audit.purged_meanwhile' });
    else if (typeof result.value === 'object') expect(result.value.problems).toEqual([]);
  }
  expect(await audit.verify({ tenantId })).toMatchObject({ valid: true });
});

test('erasing and verifying at once never reports a problem that is none', async ({ db }) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  const by = { type: 'system', id: null } as const;
  for (let index = 0; index < 50; index += 1)
    await audit.append(
      event({ tenantId, actor: { type: 'user', id: `u${index}` }, personal: { email: 'a@b.c' } }),
    );
  await audit.seal();
  const results = await fifty(async (index) => {
    await audit.erase({ userId: `u${index}`, by });
    return audit.verify({ tenantId });
  });
  expect(results.flatMap(({ problems }) => problems)).toEqual([]);
  expect(await audit.verify({ tenantId })).toMatchObject({ valid: true, erased: 50 });
});

test('what is erased between the end and the entries that verifying reads is no problem', async ({
  db,
  database,
}) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  const ada = { type: 'user', id: 'ada' } as const;
  await audit.append(event({ tenantId, actor: ada, personal: { email: 'ada@example.com' } }));
  await audit.seal();
  const verifying = await database.asOwner(async (trx) => {
    // Reading stops between the two.
    await sql`lock table svc_audit.checkpoints in access exclusive mode`.execute(trx);
    const verified = audit.verify({ tenantId });
    await expect
      .poll(async () => {
        const { rows } = await sql`
          select from pg_locks where not granted and relation = 'svc_audit.checkpoints'::regclass`.execute(
          db,
        );
        return rows.length;
      })
      .toBe(1);
    await audit.erase({ userId: 'ada', by: ada });
    return { verified };
  });
  expect(await verifying.verified).toMatchObject({ valid: true, erased: 1 });
});

test('an export during which something was erased ends with a failure, and the next one verifies', async ({
  db,
}) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  const ada = { type: 'user', id: 'ada' } as const;
  await audit.append(event({ tenantId, actor: ada, personal: { email: 'ada@example.com' } }));
  const reading = audit.export({ format: 'ndjson', tenantId })[Symbol.asyncIterator]();
  await reading.next();
  await audit.erase({ userId: 'ada', by: ada });
  await expect(
    (async () => {
      while ((await reading.next()).done !== true);
    })(),
  ).rejects.toMatchObject({ code: 'audit.erased_meanwhile' });
  const options = { publicKeys: [key.publicKey] };
  expect(await verifyAuditLog(audit.export({ format: 'ndjson', tenantId }), options)).toMatchObject(
    {
      valid: true,
      erased: 1,
    },
  );
});

test('the events of a long transaction that has just committed are no problem', async ({
  db,
  database,
}) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  await audit.append(event({ tenantId }));
  await database.asOwner((trx) =>
    sql`update svc_audit.pending set appended_at = appended_at - interval '1 hour'`.execute(trx),
  );
  await expect(audit.health()).rejects.toMatchObject({ code: 'audit.sealing_behind' });
  expect(await audit.verify({ tenantId })).toMatchObject({ valid: true, entries: 1 });
  await audit.health();
});
