import { testClock } from '@svc/core/testing';
import { databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { createAudit, createSigningKey } from '../src/index.ts';
import { auditMigrations } from '../src/migrations.ts';
import { event, fill, key, kindsOf, openAudit, someTenant } from './open-audit.ts';

const test = databaseTest([auditMigrations]);
const clock = testClock();

test('a log without a key works and says that it is not signed', async ({ db }) => {
  const audit = createAudit({ db, clock });
  const tenantId = someTenant();
  await fill(audit, tenantId, 3);
  expect(await audit.verify({ tenantId })).toMatchObject({ valid: true, signed: false });
  expect(audit.publicKeys).toEqual([]);
});

test('a log that began without a key goes on with one, and from then on its end must be signed', async ({
  db,
}) => {
  const tenantId = someTenant();
  const unsigned = createAudit({ db, clock });
  const { audit } = openAudit(db, { clock });
  await fill(unsigned, tenantId, 3);
  await fill(audit, tenantId, 3);
  expect((await audit.search({ tenantId })).items).toHaveLength(6);
  await audit.append(event({ tenantId }));
  await expect(unsigned.seal()).rejects.toThrow('this process has no key');
  const { privateKey } = createSigningKey({ name: 'other.example.com' });
  const stranger = createAudit({ db, clock, signing: { privateKey } });
  await expect(stranger.seal()).rejects.toThrow('not signed by a known key');
  const stripped = sql`
    update svc_audit.chains set note = split_part(note, E'\n\n', 1) || E'\n' where tenant_id = ${tenantId}
    returning note`;
  const { note } = await db
    .selectFrom('svc_audit.chains')
    .select('note')
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow();
  await stripped.execute(db);
  await expect(audit.seal()).rejects.toThrow('not signed by a known key');
  expect(kindsOf(await audit.verify({ tenantId }))).toEqual(['bad_signature', 'unsealed']);
  await db
    .updateTable('svc_audit.chains')
    .set({ note })
    .where('tenant_id', '=', tenantId)
    .execute();
  const rotated = createAudit({
    db,
    clock,
    signing: { privateKey, formerPublicKeys: [key.publicKey] },
  });
  expect(await rotated.seal()).toBeGreaterThan(0);
  expect((await rotated.search({ tenantId })).items).toHaveLength(7);
});
