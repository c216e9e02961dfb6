import { canonicalJson } from '@svc/core';
import { afterCommit, transact } from '@svc/db';
import { describeDatabases } from '@svc/db/testing';
import { describe, expect } from 'vitest';
import { verifyAuditLog } from '../src/index.ts';
import { auditMigrations } from '../src/migrations.ts';
import { event, fill, key, openAudit, someTenant, textOf, userId } from './open-audit.ts';

describeDatabases('the log', [auditMigrations], (test) => {
  describe('append and seal', () => {
    test('an event is in the log with all that it said, once it is sealed', async ({ db }) => {
      const { audit, clock } = openAudit(db);
      const tenantId = someTenant();
      await audit.append({
        type: 'auth.session.revoked',
        outcome: 'denied',
        actor: { type: 'api_key', id: 'k1', reason: 'cleaning up' },
        target: { type: 'session', id: 's1' },
        tenantId,
        requestId: 'r1',
        details: { text: 'ä"\n', number: 1e21, small: 5e-324, yes: true, none: null },
        personal: { address: '192.0.2.1', device: null },
      });
      expect((await audit.search({ tenantId })).items).toEqual([]);
      await clock.advance('700ms');
      expect(await audit.seal()).toBeGreaterThan(0);
      const { items } = await audit.search({ tenantId });
      expect(items).toEqual([
        {
          id: expect.any(String),
          type: 'auth.session.revoked',
          outcome: 'denied',
          actor: { type: 'api_key', id: 'k1', reason: 'cleaning up' },
          target: { type: 'session', id: 's1' },
          tenantId,
          requestId: 'r1',
          details: { text: 'ä"\n', number: 1e21, small: 5e-324, yes: true, none: null },
          personal: { address: '192.0.2.1' },
          seq: 1,
          at: new Date('2026-01-01T00:00:00.000Z'),
          sealedAt: new Date('2026-01-01T00:00:00.700Z'),
          hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
      ]);
      expect(await audit.verify({ tenantId })).toMatchObject({ valid: true, entries: 1 });
    });

    test('an event of a transaction that rolls back is not in the log', async ({ db }) => {
      const { audit } = openAudit(db);
      const tenantId = someTenant();
      const failing = transact(db, async (trx) => {
        await audit.append(event({ tenantId }), { within: trx });
        afterCommit(trx, () => {});
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      await transact(db, (trx) =>
        audit.append(event({ tenantId, type: 'kept.one' }), { within: trx }),
      );
      await audit.seal();
      const { items } = await audit.search({ tenantId });
      expect(items.map((item) => item.type)).toEqual(['kept.one']);
    });

    test('what is hashed is canonical JSON, with times in whole milliseconds', async ({ db }) => {
      const { audit } = openAudit(db);
      const tenantId = someTenant();
      await audit.append(
        event({ tenantId, details: { z: 1, a: '€', ö: -0 }, personal: { b: '1' } }),
      );
      await audit.seal();
      const text = await textOf(audit.export({ format: 'ndjson', tenantId }));
      const entry = text.split('\n').find((line) => line.startsWith('{"entry":')) as string;
      const parsed = JSON.parse(entry) as { entry: { chain: { at: number } } };
      expect(entry).toContain(canonicalJson(parsed.entry));
      expect(Number.isInteger(parsed.entry.chain.at)).toBe(true);
    });

    test('text that a database or JSON cannot hold is mended, so that no client can keep its act out of the log', async ({
      db,
    }) => {
      const { audit } = openAudit(db);
      const tenantId = someTenant();
      const odd = `a\0b\uD800${'x'.repeat(5000)}`;
      await audit.append(
        event({ tenantId, requestId: odd, details: { odd }, personal: { device: odd } }),
      );
      await audit.seal();
      const [entry] = (await audit.search({ tenantId })).items;
      expect(entry?.personal['device']).toBe(`a\uFFFDb\uFFFD${'x'.repeat(1996)}`);
      expect(entry?.requestId).toHaveLength(200);
      expect(await audit.verify({ tenantId })).toMatchObject({ valid: true });
    });

    test.for([
      ['a type of one word', { type: 'deleted' }],
      ['a type that is too long', { type: `a.${'b'.repeat(99)}` }],
      ['an outcome that is none', { outcome: 'maybe' }],
      ['an actor that is none', { actor: { type: 'robot', id: null } }],
      ['a tenant that is no UUID', { tenantId: 'acme' }],
      ['the nil UUID as tenant', { tenantId: '00000000-0000-0000-0000-000000000000' }],
      ['a number that JSON cannot say', { details: { n: Number.NaN } }],
    ])('%s is a mistake of the caller', async ([, more], { db }) => {
      const { audit } = openAudit(db);
      await expect(audit.append(event(more as object))).rejects.toThrow(TypeError);
    });

    test('a chain has sequence numbers without a gap, also over many batches', async ({ db }) => {
      const { audit } = openAudit(db);
      const tenantId = someTenant();
      await fill(audit, tenantId, 20);
      const { items } = await audit.search({ tenantId });
      expect(items.map((item) => item.seq)).toEqual(
        Array.from({ length: 20 }, (_, index) => 20 - index),
      );
      const result = await audit.verify({ tenantId });
      expect(result).toMatchObject({ valid: true, signed: true, entries: 20, problems: [] });
      expect(result.chains[0]?.signedBy).toEqual([expect.stringContaining('audit.example.com+')]);
    });

    test('an export and a verification cover what was committed before', async ({ db }) => {
      const { audit } = openAudit(db);
      const tenantId = someTenant();
      await audit.append(event({ tenantId }));
      const text = await textOf(audit.export({ format: 'ndjson', tenantId }));
      expect(text).toContain('projects.deleted');
      await audit.append(event({ tenantId }));
      expect(await audit.verify({ tenantId })).toMatchObject({ valid: true, entries: 2 });
    });

    test('the log of every tenant verifies, from the database and from an export', async ({
      db,
    }) => {
      const { audit } = openAudit(db);
      const known = [someTenant(), someTenant(), someTenant()];
      for (const tenantId of [null, ...known]) await fill(audit, tenantId, 4);
      const here = await audit.verify();
      expect(here.problems).toEqual([]);
      const text = await textOf(audit.export({ format: 'ndjson', tenantId: 'every' }));
      const bytes = new TextEncoder().encode(text);
      const chunks = Array.from({ length: Math.ceil(bytes.length / 777) }, (_, index) =>
        bytes.subarray(index * 777, (index + 1) * 777),
      );
      const there = await verifyAuditLog(chunks, { publicKeys: [key.publicKey], everyChain: true });
      expect(there).toEqual(here);
      expect(there.chains.map((chain) => chain.tenantId)).toEqual(
        expect.arrayContaining([null, ...known]),
      );
    });
  });

  test('a page begins where the one before ended, whatever is added meanwhile', async ({ db }) => {
    const { audit, clock } = openAudit(db);
    const tenantId = someTenant();
    await fill(audit, tenantId, 7);
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await audit.search({ tenantId, limit: 3, cursor });
      seen.push(...page.items.map((item) => item.seq));
      await clock.advance('1s');
      await fill(audit, tenantId, 1);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1]);
    await expect(audit.search({ tenantId, cursor: 'x.y' })).rejects.toMatchObject({
      code: 'core.invalid_cursor',
    });
  });

  test('every condition of a search narrows it, and one tenant never sees another', async ({
    db,
  }) => {
    const { audit, clock } = openAudit(db);
    const [tenantId, other] = [someTenant(), someTenant()];
    await audit.append(event({ tenantId: other }));
    await audit.append(event({ tenantId, type: 'a.one' }));
    await clock.advance('1s');
    await audit.append(event({ tenantId, type: 'a.two', outcome: 'failure' }));
    await clock.advance('1s');
    await audit.append(
      event({
        tenantId,
        type: 'a.three',
        actor: { type: 'user', id: 'u2' },
        target: { type: 't', id: 't2' },
      }),
    );
    await audit.seal();
    const found = async (conditions: object) =>
      (await audit.search({ tenantId, ...conditions })).items.map((item) => item.type);
    expect(await found({})).toEqual(['a.three', 'a.two', 'a.one']);
    expect(await found({ type: 'a.two' })).toEqual(['a.two']);
    expect(await found({ outcome: 'failure' })).toEqual(['a.two']);
    expect(await found({ actorId: userId })).toEqual(['a.two', 'a.one']);
    expect(await found({ targetId: 't2' })).toEqual(['a.three']);
    expect(await found({ from: new Date('2026-01-01T00:00:01Z') })).toEqual(['a.three', 'a.two']);
    expect(await found({ until: new Date('2026-01-01T00:00:01Z') })).toEqual(['a.one']);
    const every = await audit.search({ tenantId: 'every', type: 'projects.deleted', limit: 1000 });
    expect(every.items.some((item) => item.tenantId === other)).toBe(true);
  });
});
