import { describeDatabases } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { transact } from '@svc/db';
import { verifyAuditLog } from '../src/index.ts';
import { auditMigrations } from '../src/migrations.ts';
import { event, key, openAudit, someTenant, textOf } from './open-audit.ts';

const by = { type: 'user', id: 'officer', reason: 'Art. 17 GDPR' } as const;
const personal = { email: 'ada@example.com', address: '192.0.2.1' };

describeDatabases('erasure', [auditMigrations], (test) => {
  test('a person is erased from sealed and waiting events, and the chain stays valid', async ({
    db,
  }) => {
    const { audit } = openAudit(db);
    const tenantId = someTenant();
    const ada = { type: 'user', id: 'ada' } as const;
    await audit.append(event({ tenantId, actor: ada, personal }));
    await audit.append(event({ tenantId, target: { type: 'user', id: 'ada' }, personal }));
    await audit.append(
      event({
        tenantId,
        actor: { type: 'user', id: 'bob' },
        personal: { email: 'bob@example.com' },
      }),
    );
    await audit.seal();
    await audit.append(event({ tenantId, actor: ada, personal }));
    const before = await audit.verify({ tenantId });
    await audit.append(event({ tenantId, actor: ada, personal }));
    expect(await audit.erase({ userId: 'ada', by })).toBe(5 - 1);
    await audit.seal();
    const { items } = await audit.search({ tenantId, type: 'projects.deleted' });
    expect(items.map((item) => item.personal)).toEqual([
      { address: null, email: null },
      { address: null, email: null },
      { email: 'bob@example.com' },
      { address: null, email: null },
      { address: null, email: null },
    ]);
    const after = await audit.verify({ tenantId });
    expect(before).toMatchObject({ valid: true, erased: 0 });
    expect(after).toMatchObject({ valid: true, entries: 6, erased: 4 });
    const offline = await verifyAuditLog(audit.export({ format: 'ndjson', tenantId }), {
      publicKeys: [key.publicKey],
    });
    expect(offline).toEqual(after);
  });

  test('after an erasure no table has the value, nor a salt by which it could be guessed', async ({
    db,
    database,
  }) => {
    const { audit } = openAudit(db);
    const actor = { type: 'user', id: 'eve' } as const;
    await audit.append(event({ actor, personal: { email: 'eve@example.com' } }));
    await audit.seal();
    const [row] = (await audit.search({ tenantId: null, actorId: 'eve' })).items;
    const salt = await database.asOwner(async (trx) => {
      const found = await sql<{ salt: string }>`
        select fields #>> '{email,salt}' as salt from svc_audit.personal where entry_id = ${row?.id}`.execute(
        trx,
      );
      return found.rows[0]?.salt as string;
    });
    expect(salt).toMatch(/^[\w-]{22}$/);
    await audit.append(event({ actor, personal: { email: 'eve@example.com' } }));
    await audit.erase({ userId: 'eve', by });
    await audit.seal();
    const dump = await database.asOwner(async (trx) => {
      const texts: string[] = [];
      for (const table of ['pending', 'entries', 'personal', 'chains', 'checkpoints']) {
        const { rows } = await sql<{
          text: string;
        }>`select t::text as text from ${sql.table(`svc_audit.${table}`)} t`.execute(trx);
        texts.push(...rows.map(({ text }) => text));
      }
      return texts.join('\n');
    });
    expect(dump).not.toContain('eve@example.com');
    expect(dump).not.toContain(salt);
  });

  test('an erasure is in the log, with who asked for it, and commits with the caller', async ({
    db,
  }) => {
    const { audit } = openAudit(db);
    await audit.append(event({ actor: { type: 'user', id: 'kim' }, personal }));
    await audit.seal();
    const failing = transact(db, async (trx) => {
      await audit.erase({ userId: 'kim', by }, { within: trx });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    const ofKim = async () =>
      (await audit.search({ tenantId: null, actorId: 'kim' })).items[0]?.personal;
    expect(await ofKim()).toEqual(personal);
    await audit.erase({ userId: 'kim', by });
    await audit.seal();
    expect(await ofKim()).toEqual({ address: null, email: null });
    const { items } = await audit.search({
      tenantId: null,
      type: 'audit.personal.erased',
      targetId: 'kim',
    });
    expect(items).toMatchObject([{ actor: by, details: { events: 1 } }]);
  });

  test('an address that never became a user is erased by its value, and old values by their age', async ({
    db,
  }) => {
    const { audit, clock } = openAudit(db);
    const tenantId = someTenant();
    const actor = { type: 'anonymous', id: null } as const;
    await audit.append(event({ tenantId, actor, personal: { email: 'nobody@example.com' } }));
    await audit.seal();
    await audit.append(event({ tenantId, actor, personal: { email: 'nobody@example.com' } }));
    expect(await audit.erase({ value: 'nobody@example.com', by })).toBe(2);
    await clock.advance('1d');
    await audit.append(event({ tenantId, actor, personal: { address: '192.0.2.9' } }));
    await audit.seal();
    await clock.advance('1d');
    await audit.append(event({ tenantId, actor, personal: { address: '192.0.2.9' } }));
    await audit.erase({ before: new Date(clock.now().getTime() - 1000), by });
    await audit.seal();
    const { items } = await audit.search({ tenantId, type: 'projects.deleted' });
    expect(items.map((item) => Object.values(item.personal))).toEqual([
      ['192.0.2.9'],
      [null],
      [null],
      [null],
    ]);
    expect(await audit.verify({ tenantId })).toMatchObject({ valid: true, erased: 3 });
  });

  test("each log concerned names its own entries, also many, and the service's tells of the whole", async ({
    db,
  }) => {
    const { audit } = openAudit(db);
    const tenantId = someTenant();
    const actor = { type: 'user', id: 'zoe' } as const;
    await audit.append(event({ actor, personal }));
    for (let index = 0; index < 60; index += 1)
      await audit.append(event({ tenantId, actor, personal }));
    await audit.seal();
    await audit.erase({ userId: 'zoe', by });
    await audit.seal();
    const told = async (of: string | null) =>
      (
        await audit.search({ tenantId: of, type: 'audit.personal.erased', targetId: 'zoe' })
      ).items.map(({ details }) => [
        details['events'],
        String(details['entries']).split(' ').length,
      ]);
    expect(await told(tenantId)).toEqual([
      [60, 10],
      [60, 50],
    ]);
    expect(await told(null)).toEqual([[61, 1]]);
    expect(await audit.verify({ tenantId })).toMatchObject({ valid: true, erased: 60 });
    const { problems } = await audit.verify({ tenantId: null });
    expect(problems.filter(({ kind }) => kind === 'erased_unrecorded')).toEqual([]);
  });

  test('erase without one criterion is a mistake of the caller', async ({ db }) => {
    const { audit } = openAudit(db);
    await expect(audit.erase({ by })).rejects.toThrow(TypeError);
    await expect(audit.erase({ by, userId: 'a', value: 'b' })).rejects.toThrow(TypeError);
  });

  test('equal values of two events have different commitments', async ({ db }) => {
    const { audit } = openAudit(db);
    const tenantId = someTenant();
    await audit.append(event({ tenantId, personal: { email: 'ada@example.com' } }));
    await audit.append(event({ tenantId, personal: { email: 'ada@example.com' } }));
    await audit.seal();
    const text = await textOf(audit.export({ format: 'ndjson', tenantId }));
    const commitments = [...text.matchAll(/"personal":\{"email":"([0-9a-f]{64})"/g)].map(
      ([, hex]) => hex,
    );
    expect(new Set(commitments).size).toBe(2);
  });
});
