import { describeDatabases } from '@svc/db/testing';
import { describe, expect, test as plain } from 'vitest';
import { csvCell } from '../src/csv.ts';
import { verifyAuditLog } from '../src/index.ts';
import { auditMigrations } from '../src/migrations.ts';
import { event, fill, key, openAudit, someTenant, textOf } from './open-audit.ts';

describe('a cell of CSV', () => {
  plain.each([
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '\n=1',
    ' =1',
    '\u00A0=1',
    '＝1',
    '%0A',
    '|cmd',
  ])('%j is no formula', (value) => expect(csvCell(value)).toBe(`"'${value}"`));
  plain('quotes are doubled, numbers stay numbers, nothing is empty', () => {
    expect(csvCell('a "b", c')).toBe('"a ""b"", c"');
    expect(csvCell(-1)).toBe('"-1"');
    expect(csvCell(null)).toBe('""');
  });
});

plain.each([[[]], [['']], [['\n', '\r\n']]])(
  'a file without a line is no log: %j',
  async (chunks) => {
    const result = await verifyAuditLog(chunks, { publicKeys: [key.publicKey] });
    expect(result).toMatchObject({
      valid: false,
      problems: [{ kind: 'missing', message: 'the file holds no log' }],
    });
  },
);

describeDatabases('export', [auditMigrations], (test) => {
  test('CSV has one line for each entry and no formula in it', async ({ db }) => {
    const { audit } = openAudit(db);
    const tenantId = someTenant();
    await audit.append(
      event({
        tenantId,
        requestId: '=HYPERLINK("https://evil.example")',
        actor: { type: 'user', id: 'u1', reason: '@cmd' },
        personal: { device: '=1+1' },
      }),
    );
    await audit.seal();
    const lines = (await textOf(audit.export({ format: 'csv', tenantId }))).trimEnd().split('\r\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^"tenant_id","seq","at"/);
    expect(lines[1]).toContain(`"'=HYPERLINK(""https://evil.example"")"`);
    expect(lines[1]).toContain(`"'@cmd"`);
  });

  test('a selection has the entries that fit, and is refused as the whole log', async ({ db }) => {
    const { audit } = openAudit(db);
    const tenantId = someTenant();
    await fill(audit, tenantId, 3);
    for (const actorId of ['u1', 'u2'])
      await audit.append(
        event({ tenantId, type: 'other.one', actor: { type: 'user', id: actorId } }),
      );
    await audit.seal();
    const text = await textOf(audit.export({ format: 'ndjson', tenantId, type: 'other.one' }));
    expect(text.trimEnd().split('\n')).toHaveLength(2);
    const result = await verifyAuditLog([text], { publicKeys: [key.publicKey] });
    expect(result.valid).toBe(false);
    const message = 'this is a selection; export without conditions to verify';
    expect(result.problems).toEqual([{ kind: 'malformed', tenantId: null, seq: null, message }]);
  });

  test('an export is read on only as it is taken, over many batches', async ({ db }) => {
    const { audit } = openAudit(db);
    const tenantId = someTenant();
    await Promise.all(Array.from({ length: 2500 }, () => audit.append(event({ tenantId }))));
    await audit.seal();
    let chunks = 0;
    for await (const chunk of audit.export({ format: 'ndjson', tenantId })) {
      expect(chunk.endsWith('\n')).toBe(true);
      chunks += 1;
    }
    expect(chunks).toBe(3);
    expect((await textOf(audit.export({ format: 'csv', tenantId }))).split('\r\n')).toHaveLength(
      2502,
    );
    expect(await audit.verify({ tenantId })).toMatchObject({ valid: true, entries: 2500 });
  });

  test('a scope that is none is a mistake of the caller', async ({ db }) => {
    const { audit } = openAudit(db);
    await expect(textOf(audit.export({ format: 'csv', tenantId: 'acme' }))).rejects.toThrow(
      TypeError,
    );
    await expect(audit.search({ tenantId: 'acme' })).rejects.toThrow(TypeError);
    await expect(audit.verify({ tenantId: 'acme' })).rejects.toThrow(TypeError);
  });
});
