import { type Audit, type AuditEvent, type AuditVerification, verifyAuditLog } from '@svc/audit';
import { systemClock } from '@svc/core';
import { transact } from '@svc/db';
import type { PostgresServer } from '@svc/db/testing';
import { hash } from 'node:crypto';
import { openLog, personalEvent, plainEvent, tenants } from '../audit/open-log.ts';
import {
  type Benchmark,
  type Prepared,
  type Sample,
  type Variant,
  WrongAnswer,
} from '../benchmark.ts';

const events = 60_000;
const eventsAtOnce = 1000;

/** How long it takes to prove that nobody tampered with the log. */
export const auditVerify: Benchmark = {
  name: 'audit-verify',
  summary: `${events} entries of ${tenants} tenants, every hash, link, root and signature; operations are entries`,
  reference: 'hashing alone',
  goals: [
    { variant: 'an export', figure: 'rate', atLeast: 200_000 },
    { variant: 'the database', figure: 'rate', atLeast: 200_000 },
  ],
  prepare,
};

async function prepare(server: PostgresServer): Promise<Prepared> {
  const plain = await filledLog(server, plainEvent);
  const personal = await filledLog(await server.createDatabase('personal'), personalEvent);
  const byExport = ({ exported, publicKeys }: FilledLog) =>
    verifyAuditLog(exported, { publicKeys, everyChain: true });
  return {
    variants: [
      { name: 'hashing alone', run: (durationMs) => hashing(bodiesOf(plain), durationMs) },
      toVariant('an export', () => byExport(plain)),
      toVariant('an export with personal values', () => byExport(personal)),
      toVariant('the database', () => plain.audit.verify()),
      toVariant('the database with personal values', () => personal.audit.verify()),
    ],
    async [Symbol.asyncDispose]() {
      await Promise.all([plain.close(), personal.close()]);
    },
  };
}

interface FilledLog {
  readonly audit: Audit;
  readonly publicKeys: readonly string[];
  readonly exported: readonly string[];
  close(): Promise<void>;
}

async function filledLog(
  urls: Parameters<typeof openLog>[0],
  event: (number: number) => AuditEvent,
): Promise<FilledLog> {
  const { db, audit, close } = await openLog(urls);
  for (let first = 0; first < events; first += eventsAtOnce) {
    await transact(db, async (within) => {
      for (let number = first; number < first + eventsAtOnce; number += 1)
        await audit.append(event(number), { within });
    });
  }
  await audit.seal();
  const exported: string[] = [];
  for await (const chunk of audit.export({ format: 'ndjson', tenantId: 'every' }))
    exported.push(chunk);
  return { audit, publicKeys: audit.publicKeys, exported, close };
}

function bodiesOf({ exported }: FilledLog): string[] {
  const lines = exported.join('').split('\n');
  return lines.filter((line) => line.startsWith('{"entry":'));
}

/** A leaf and a node of the tree for each entry: what no verifier can do without. */
async function hashing(bodies: readonly string[], durationMs: number): Promise<Sample> {
  return repeat(durationMs, async () => {
    let head = '';
    for (const body of bodies)
      head = hash('sha256', `\x01${head}${hash('sha256', body, 'hex')}`, 'hex');
    return bodies.length;
  });
}

function toVariant(name: string, verify: () => Promise<AuditVerification>): Variant {
  return {
    name,
    run: (durationMs) =>
      repeat(durationMs, async () => {
        const { valid, signed, entries } = await verify();
        if (!valid || !signed || entries < events)
          throw new WrongAnswer(`${name}: ${entries} entries, ${valid ? 'valid' : 'not valid'}`);
        return entries;
      }),
  };
}

async function repeat(durationMs: number, work: () => Promise<number>): Promise<Sample> {
  const startedAt = systemClock.elapsedMs();
  const elapsedMs = () => systemClock.elapsedMs() - startedAt;
  let operations = 0;
  while (elapsedMs() < durationMs) operations += await work();
  return { operations, elapsedMs: elapsedMs(), latenciesMs: [] };
}
