import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type EventType, eventTypes, eventTypesFor } from '../src/index.ts';

test('every listed type could be appended and names its controls', () => {
  for (const [type, known] of Object.entries<EventType>(eventTypes)) {
    expect(type).toMatch(/^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+$/);
    for (const criterion of known.soc2) expect(criterion).toMatch(/^(CC\d|P\d)\.\d$/);
    for (const paragraph of known.hipaa) expect(paragraph).toMatch(/^164\.\d{3}\([a-z]\)/);
    for (const requirement of known.pci) expect(requirement).toMatch(/^\d+\.\d+(\.\d+)*$/);
  }
});

test('each requirement of PCI DSS 10.2.1 that a sign-in can meet has event types', () => {
  for (const item of ['10.2.1.1', '10.2.1.2', '10.2.1.3', '10.2.1.4', '10.2.1.5', '10.2.1.6'])
    expect(eventTypesFor('pci', item)).not.toEqual([]);
  expect(eventTypesFor('hipaa', '164.308(a)(5)(ii)(C)')).toContain('auth.login.failed');
  expect(eventTypesFor('soc2', 'CC6.2')).toContain('auth.user.disabled');
});

test('the table in the docs is the list in the code', () => {
  const docs = readFileSync(new URL('../../../docs/enterprise-audit.md', import.meta.url), 'utf8');
  const rows = [
    ...docs.matchAll(/^\| `([a-z0-9_.]+)` +\| (.+?) +\| (.+?) +\| (.+?) +\| (.+?) +\|$/gm),
  ];
  const listed = rows.map(([, type, title, soc2, hipaa, pci]) => [type, title, soc2, hipaa, pci]);
  const known = Object.entries<EventType>(eventTypes).map(([type, { title, soc2, hipaa, pci }]) => [
    type,
    title,
    soc2.join(', '),
    hipaa.join(', '),
    pci.join(', '),
  ]);
  expect(listed).toEqual(known);
});
