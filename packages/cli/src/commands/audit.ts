import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AuditVerification } from '@svc/audit';
import type { Command, CommandGroup, FlagValues } from '../command.ts';
import { loadOptional } from '../load-optional.ts';
import { UsageError } from '../usage-error.ts';

const verify: Command = {
  summary: 'Verify an export of the audit log, without a database.',
  argument: 'FILE',
  needsConfig: false,
  flags: {
    'public-key': { value: 'KEYS', description: 'who may have signed it, parted by commas' },
    checkpoint: {
      value: 'FILE',
      description: 'checkpoints that were kept elsewhere, or a log that has them',
    },
    tenant: { value: 'ID', description: "the tenant whose log it is, or 'service'" },
    withheld: { description: 'personal values were taken out of it: report none that is missing' },
    every: { description: 'it is the log of every tenant: report one that is missing' },
  },
  async run({ argument, flags, cwd }) {
    const audit = await loadAudit();
    if (argument === undefined) throw new UsageError('which file? svc audit verify FILE');
    const publicKeys = (text(flags, 'public-key') ?? '').split(',').filter((key) => key !== '');
    if (publicKeys.length === 0) throw new UsageError('--public-key says who may have signed it');
    try {
      audit.createNoteVerifier(publicKeys);
    } catch (error) {
      throw new UsageError(`--public-key: ${(error as Error).message}`);
    }
    const kept = text(flags, 'checkpoint');
    const tenant = text(flags, 'tenant');
    const result = await audit.verifyAuditLog(await open(resolve(cwd, argument)), {
      publicKeys,
      checkpoints: kept === undefined ? [] : audit.splitNotes(await read(resolve(cwd, kept))),
      everyChain: flags['every'] === true,
      withheld: flags['withheld'] === true,
      ...(tenant === undefined ? {} : { tenantId: tenant === 'service' ? null : tenant }),
    });
    return { text: report(result), json: result, exitCode: result.valid ? 0 : 1 };
  },
};

const key: Command = {
  summary: 'Make a signing key for the checkpoints of the audit log.',
  argument: 'NAME',
  needsConfig: false,
  flags: {},
  async run({ argument }) {
    const { createSigningKey } = await loadAudit();
    if (argument === undefined)
      throw new UsageError('what is it called? svc audit key audit.example.com/2026');
    try {
      const { privateKey, publicKey } = createSigningKey({ name: argument });
      const text = `AUDIT_SIGNING_KEY=${privateKey}\n\nFor those who verify: ${publicKey}`;
      return { text, json: { privateKey, publicKey } };
    } catch (error) {
      if (error instanceof TypeError) throw new UsageError(error.message);
      throw error;
    }
  },
};

/** `svc audit …` */
export const auditCommands: CommandGroup = {
  summary: 'The audit log.',
  commands: { key, verify },
};

const loadAudit = () => loadOptional('@svc/audit', () => import('@svc/audit'));

async function open(path: string): Promise<AsyncIterable<Uint8Array>> {
  const stream = createReadStream(path);
  // Before it is read, so that a file that is not there is a wrong call and no finding.
  await new Promise<void>((done, fail) =>
    stream.once('open', () => done()).once('error', fail),
  ).catch(() => unreadable(path));
  return stream as AsyncIterable<Uint8Array>;
}

const read = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch(() => unreadable(path));

function unreadable(path: string): never {
  throw new UsageError(`${path} cannot be read`);
}

function text(flags: FlagValues, name: string): string | undefined {
  const value = flags[name];
  return typeof value === 'string' ? value : undefined;
}

function report({ valid, entries, erased, chains, problems }: AuditVerification): string {
  const name = (tenantId: string | null) => tenantId ?? 'service';
  return [
    ...chains.map(
      ({ tenantId, size, head, signedBy }) =>
        `${name(tenantId)}: ${size} entries, ends with ${head}, signed by ${signedBy.join(', ') || 'nobody'}`,
    ),
    ...problems.map(
      ({ kind, tenantId, seq, message }) =>
        `${name(tenantId)}${seq === null ? '' : ` ${seq}`}: ${kind}: ${message}`,
    ),
    `${valid ? 'valid' : 'NOT VALID'}: ${entries} entries read, ${erased} with erased or withheld personal values`,
  ].join('\n');
}
