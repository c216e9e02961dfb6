import { createUuidV7 } from '@svc/core';
import { recordingLogger, type TestClock, testClock } from '@svc/core/testing';
import type { Db } from '@svc/db';
import {
  type Audit,
  type AuditEvent,
  type AuditOptions,
  createAudit,
  createSigningKey,
} from '../src/index.ts';

export const key = createSigningKey({ name: 'audit.example.com' });

/** A log on a database of the test's, with a clock and a signing key in the test's hands. */
export function openAudit(
  db: Db,
  { clock = testClock(), ...options }: Partial<AuditOptions> & { clock?: TestClock } = {},
) {
  const logger = recordingLogger();
  const audit = createAudit({
    db,
    signing: { privateKey: key.privateKey },
    clock,
    newId: createUuidV7({ clock }),
    logger,
    ...options,
  });
  return { audit, clock, logger };
}

let tenants = 0;
/** A tenant that no other test of the file has. */
export const someTenant = () => `0199b000-0000-7000-8000-${String(++tenants).padStart(12, '0')}`;

export const userId = '0199a000-0000-7000-8000-00000000000a';

export const event = (more: Partial<AuditEvent> = {}): AuditEvent => ({
  type: 'projects.deleted',
  actor: { type: 'user', id: userId },
  target: { type: 'project', id: 'p1' },
  ...more,
});

/** Seals `count` events of a tenant, in batches of three. */
export async function fill(audit: Audit, tenantId: string | null, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await audit.append(event({ tenantId, details: { index } }));
    if (index % 3 === 2) await audit.seal();
  }
  await audit.seal();
}

/** The whole of an export. */
export async function textOf(chunks: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk;
  return text;
}

/** The kinds of problems, each once, in the order in which they were found. */
export const kindsOf = ({ problems }: { problems: readonly { kind: string }[] }) => [
  ...new Set(problems.map((problem) => problem.kind)),
];
