import {
  type AuditProblem,
  type ChainCheck,
  type CheckedChain,
  createChainCheck,
} from './chain-check.ts';
import { parseCheckpoint } from './checkpoint.ts';
import type { Disclosure } from './commitments.ts';
import type { ChainHeader } from './log-lines.ts';
import { endIn } from './registry.ts';
import { createNoteVerifier } from './signed-note.ts';

export interface VerifyAuditLogOptions {
  /** The keys that may have signed it, former ones included. With none, signatures are not checked, and whoever can write the log can write it anew. */
  publicKeys: readonly string[];
  /** Checkpoints that were kept elsewhere; the log must be what it was then, or have grown since. @default none */
  checkpoints?: readonly string[];
  /** The one chain that the log must hold; `null` is the service's own. @default any */
  tenantId?: string | null;
  /** Whether it is the log of every tenant: then the service's own chain and the others must know each other. @default false */
  everyChain?: boolean;
  /** What is known of the end of a tenant's chain from elsewhere. @default nothing */
  ends?: ReadonlyMap<string, RememberedEnd>;
  /** Whether personal values were taken out of the export before it was handed over; if not, each that is missing must have been erased, and an entry must say so. @default false */
  withheld?: boolean;
}

/** The end that a chain once had. */
export interface RememberedEnd {
  readonly size: number;
  /** The hash of its last entry, hexadecimal. */
  readonly head: string;
}

export interface AuditVerification {
  /** Whether nothing is wrong. */
  readonly valid: boolean;
  /** Whether signatures were checked. */
  readonly signed: boolean;
  /** How many entries were read. */
  readonly entries: number;
  /** In how many of them personal values are erased or withheld. */
  readonly erased: number;
  readonly chains: readonly CheckedChain[];
  /** The first hundred. */
  readonly problems: readonly AuditProblem[];
}

/** How many problems are told. */
export const maxProblems = 100;
const emptyLog = 'the log is empty, though the start of whatever seals is in it';
const noLog = 'the file holds no log';
const selection = 'this is a selection; export without conditions to verify';
const unknownChain = "the service's own chain does not know of this one: its entries are missing";

/**
 * Verifies an export of whole chains, with no database: every hash, link, sequence number, time, personal value,
 * Merkle root and signature. Takes the NDJSON as chunks of text or bytes, cut anywhere.
 *
 * @throws {TypeError} when a public key is none.
 */
export async function verifyAuditLog(
  source: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  options: VerifyAuditLogOptions,
): Promise<AuditVerification> {
  return verifyLines(source, { ...options, isExcused: () => options.withheld === true });
}

export interface VerifyLinesOptions extends VerifyAuditLogOptions {
  /** Entries of which it is known from elsewhere that their personal values were erased. Asked at the end of their chain. */
  isExcused(id: string): boolean;
}

/** The same, for those who know more than the lines say. */
export async function verifyLines(
  source: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  options: VerifyLinesOptions,
): Promise<AuditVerification> {
  const check = createLogCheck(options);
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of source) {
    const text =
      rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }));
    let from = 0;
    for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
      check.line(text.slice(from, to));
      from = to + 1;
    }
    rest = text.slice(from);
  }
  check.line(rest + decoder.decode());
  return check.finish();
}

function createLogCheck({
  publicKeys,
  checkpoints = [],
  tenantId,
  everyChain = false,
  ends = new Map(),
  isExcused,
}: VerifyLinesOptions) {
  const wanted = tenantId?.toLowerCase() ?? tenantId;
  const notes = createNoteVerifier(publicKeys);
  const problems: AuditProblem[] = [];
  let problemCount = 0;
  const report = (problem: AuditProblem) => {
    problemCount += 1;
    if (problems.length < maxProblems) problems.push(problem);
  };
  const chains: CheckedChain[] = [];
  const remembered = new Map<string, RememberedEnd>(ends);
  const kept = groupByChain(checkpoints, report);
  let erased = 0;
  let current: { header: ChainHeader; check: ChainCheck } | undefined;
  let isSelection = false;

  const close = () => {
    if (current === undefined) return;
    chains.push(current.check.finish());
    erased += current.check.erased;
    current = undefined;
  };
  const open = (header: ChainHeader) => {
    close();
    const { tenantId } = header;
    if (chains.some((chain) => chain.tenantId === tenantId))
      report({ kind: 'forked', tenantId, seq: null, message: 'the chain is there twice' });
    if (wanted !== undefined && tenantId !== wanted)
      report({ kind: 'foreign', tenantId, seq: null, message: 'this chain was not asked for' });
    const check = createChainCheck(header, {
      notes,
      mustBeSigned: notes.hasKeys,
      isExcused,
      report,
    });
    for (const note of kept.get(tenantId) ?? []) check.expect(note);
    const end = tenantId === null ? undefined : remembered.get(tenantId);
    if (end !== undefined) check.expectEnd(end);
    current = { header, check };
  };
  const malformed = () =>
    report({
      kind: 'malformed',
      tenantId: current?.header.tenantId ?? null,
      seq: null,
      message: 'a line cannot be read',
    });
  const outsideOfChains = () => {
    if (!isSelection) report({ kind: 'malformed', tenantId: null, seq: null, message: selection });
    isSelection = true;
  };
  const entry = ({ body, hash, personal }: EntryLine) => {
    if (current === undefined) return outsideOfChains();
    current.check.entry(body, hash, personal);
    const end = current.header.tenantId === null ? endIn(body) : undefined;
    if (end !== undefined) remembered.set(end.tenantId, end);
  };

  return {
    line(line: string): void {
      if (line === '' || line === '\r') return;
      try {
        const parsed = readLine(line);
        if ('body' in parsed) entry(parsed);
        else if ('chain' in parsed) open(parsed.chain);
        else if (current === undefined) malformed();
        else current.check.expect(parsed.checkpoint);
      } catch {
        // Whatever a stranger wrote into the file is a finding, not an error of ours.
        malformed();
      }
    },
    finish(): AuditVerification {
      close();
      const present = new Set(chains.map((chain) => chain.tenantId));
      const due = new Set<string | null>([
        ...[...kept.keys()].filter((chain) => wanted === undefined || chain === wanted),
        ...(everyChain ? [null, ...remembered.keys()] : []),
        ...(wanted === undefined ? [] : [wanted]),
      ]);
      for (const tenantId of due) {
        if (!present.has(tenantId))
          report({ kind: 'missing', tenantId, seq: null, message: 'the whole chain is missing' });
      }
      const isEmpty = chains.some(({ tenantId, size }) => tenantId === null && size === 0);
      if (isEmpty && (everyChain || wanted === null))
        report({ kind: 'missing', tenantId: null, seq: null, message: emptyLog });
      for (const { tenantId, size } of everyChain ? chains : []) {
        if (tenantId !== null && size > 0 && !remembered.has(tenantId))
          report({ kind: 'missing', tenantId, seq: null, message: unknownChain });
      }
      if (chains.length === 0 && problemCount === 0)
        report({ kind: 'missing', tenantId: null, seq: null, message: noLog });
      const entries = chains.reduce((sum, chain) => sum + chain.entries, 0);
      const valid = problemCount === 0;
      return { valid, signed: publicKeys.length > 0, entries, erased, chains, problems };
    },
  };
}

function groupByChain(
  checkpoints: readonly string[],
  report: (problem: AuditProblem) => void,
): Map<string | null, string[]> {
  const groups = new Map<string | null, string[]>();
  for (const note of checkpoints) {
    const checkpoint = parseCheckpoint(note);
    if (checkpoint === undefined) {
      const message = 'a checkpoint that was kept cannot be read';
      report({ kind: 'malformed', tenantId: null, seq: null, message });
    } else groups.set(checkpoint.tenantId, [...(groups.get(checkpoint.tenantId) ?? []), note]);
  }
  return groups;
}

interface EntryLine {
  readonly body: string;
  readonly hash: string;
  readonly personal: Readonly<Record<string, Disclosure>> | undefined;
}

const entryStart = '{"entry":';
const hashStart = ',"hash":"';
const personalStart = '","personal":';
const hashLength = 64;

type Line = EntryLine | { readonly chain: ChainHeader } | { readonly checkpoint: string };

// An entry is cut out as it stands, not parsed and written again: its hash covers these very bytes, and two texts that
// mean the same to one reader (a member twice) may differ to another. No text within a JSON string can look like the
// members that are searched for, since its quotes are escaped.
function readLine(line: string): Line {
  if (!line.startsWith(entryStart))
    return toLine(JSON.parse(line) as Readonly<Record<string, unknown>>);
  const bareEnd = line.length - '"}'.length;
  if (isHashBefore(line, bareEnd) && line.endsWith('"}')) return entryTo(line, bareEnd, undefined);
  const end = line.lastIndexOf(personalStart);
  if (!isHashBefore(line, end)) throw new TypeError('this is no line of an export');
  const personal = JSON.parse(line.slice(end + personalStart.length, -1)) as EntryLine['personal'];
  return entryTo(line, end, personal);
}

const isHashBefore = (line: string, end: number) =>
  line.startsWith(hashStart, end - hashLength - hashStart.length);

function entryTo(line: string, end: number, personal: EntryLine['personal']): EntryLine {
  const hash = line.slice(end - hashLength, end);
  const body = line.slice(entryStart.length, end - hashLength - hashStart.length);
  return { body, hash, personal };
}

function toLine(record: Readonly<Record<string, unknown>>): Exclude<Line, EntryLine> {
  if (typeof record['checkpoint'] === 'string') return { checkpoint: record['checkpoint'] };
  const header = record['chain'] as ChainHeader | undefined;
  const isHeader =
    typeof header === 'object' &&
    (header.tenantId === null || typeof header.tenantId === 'string') &&
    (header.head === null || typeof header.head === 'string') &&
    (header.purged === null || typeof header.purged === 'string') &&
    Array.isArray(header.frontier) &&
    header.frontier.every((node) => /^[0-9a-f]{64}$/.test(String(node)));
  if (!isHeader) throw new TypeError('this is no line of an export');
  return { chain: header };
}
