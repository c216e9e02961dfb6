import { recordEvents } from '@svc/core/testing';
import { databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import {
  type CheckpointNote,
  createAudit,
  createSigningKey,
  sealed,
  sealingFailed,
} from '../src/index.ts';
import { auditMigrations } from '../src/migrations.ts';
import { event, fill, key, kindsOf, openAudit, someTenant } from './open-audit.ts';

const test = databaseTest([auditMigrations]);

test('what is committed is sealed in the background within a second', async ({ db }) => {
  const { audit, clock } = openAudit(db);
  using seen = recordEvents(sealed);
  const tenantId = someTenant();
  await audit.start();
  await expect.poll(() => clock.sleeping).toBe(1);
  await audit.append(event({ tenantId }));
  await clock.advance('1s');
  await expect.poll(async () => (await audit.search({ tenantId })).items.length).toBe(1);
  await audit.stop();
  expect(seen.events.at(-1)).toMatchObject({
    instance: 'audit',
    payload: { entries: expect.any(Number) },
  });
});

test('stop seals what is left, and the start and the stop of sealing are in the log', async ({
  db,
}) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  await audit.start();
  await audit.start();
  await audit.append(event({ tenantId }));
  await audit.stop();
  await audit.stop();
  expect((await audit.search({ tenantId })).items).toHaveLength(1);
  const { items } = await audit.search({ tenantId: null, limit: 2 });
  expect(items.map((item) => item.type)).toContain('audit.sealing.stopped');
});

test('sealing goes on after it failed', async ({ db, database }) => {
  const { audit, clock, logger } = openAudit(db);
  using failed = recordEvents(sealingFailed);
  await audit.start();
  await expect.poll(() => clock.sleeping).toBe(1);
  await database.asOwner((trx) => sql`alter table svc_audit.pending rename to away`.execute(trx));
  await clock.advance('1s');
  await expect.poll(() => failed.events.length).toBeGreaterThan(0);
  await database.asOwner((trx) => sql`alter table svc_audit.away rename to pending`.execute(trx));
  const tenantId = someTenant();
  await audit.append(event({ tenantId }));
  await expect.poll(() => clock.sleeping).toBe(1);
  await clock.advance('1s');
  await expect.poll(async () => (await audit.search({ tenantId })).items.length).toBe(1);
  await audit.stop();
  expect(logger.lines.filter(({ level }) => level === 'error')).not.toHaveLength(0);
});

test('each kept checkpoint reaches the anchor, again after a minute of the database where it failed', async ({
  db,
  database,
}) => {
  const anchored: CheckpointNote[] = [];
  const tried: string[] = [];
  let isDown = true;
  const { audit } = openAudit(db, {
    anchor: async (checkpoint) => {
      tried.push(checkpoint.note);
      if (isDown) throw new Error('down');
      anchored.push(checkpoint);
    },
  });
  const tenantId = someTenant();
  await fill(audit, tenantId, 3);
  for (let round = 0; round < 5; round += 1) {
    await audit.start();
    await audit.stop();
  }
  expect(new Set(tried).size).toBe(tried.length);
  isDown = false;
  await database.asOwner((trx) =>
    sql`update svc_audit.checkpoints set anchor_tried_at = anchor_tried_at - interval '61 seconds'`.execute(
      trx,
    ),
  );
  await audit.start();
  await audit.stop();
  const own = anchored.filter((checkpoint) => checkpoint.tenantId === tenantId);
  expect(own).toMatchObject([{ size: 3, root: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
  await fill(audit, tenantId, 3);
  const notes = own.map(({ note }) => note);
  expect(await audit.verify({ tenantId, checkpoints: notes })).toMatchObject({ valid: true });
});

test('a checkpoint is kept at most every ten minutes, and each end is signed', async ({ db }) => {
  const { audit, clock } = openAudit(db);
  const tenantId = someTenant();
  for (let minute = 0; minute <= 20; minute += 1) {
    await fill(audit, tenantId, 1);
    await clock.advance('1m');
  }
  const { items } = await audit.checkpoints({ tenantId });
  expect(items.map((item) => item.size)).toEqual([21, 11, 1]);
  const page = await audit.checkpoints({ tenantId, limit: 2 });
  expect(page.items.map((item) => item.size)).toEqual([21, 11]);
  const rest = await audit.checkpoints({ tenantId, limit: 2, cursor: page.nextCursor as string });
  expect(rest.items.map((item) => item.size)).toEqual([1]);
});

test('after a change of keys the log verifies with both public keys, and not with the new one alone', async ({
  db,
}) => {
  const { audit } = openAudit(db);
  const tenantId = someTenant();
  await fill(audit, tenantId, 3);
  const next = createSigningKey({ name: 'audit.example.com' });
  const rotated = createAudit({
    db,
    signing: { privateKey: next.privateKey, formerPublicKeys: [key.publicKey] },
    checkpointEvery: '0s',
  });
  await fill(rotated, tenantId, 3);
  const result = await rotated.verify({ tenantId });
  expect(result.valid).toBe(true);
  expect(result.chains[0]?.signedBy).toEqual([next.publicKey.split('+').slice(0, 2).join('+')]);
  const forgetful = createAudit({ db, signing: { privateKey: next.privateKey } });
  expect(kindsOf(await forgetful.verify({ tenantId }))).toEqual(['bad_signature']);
});

test('options that cannot work are refused', ({ db }) => {
  for (const options of [
    { sealEvery: '2s' },
    { sealEvery: '1ms' },
    { origin: 'a b' },
    { signing: { privateKey: 'x' } },
    { signing: { privateKey: key.privateKey, formerPublicKeys: ['x'] } },
  ] as const) {
    expect(() => createAudit({ db, ...options })).toThrow(TypeError);
  }
});
