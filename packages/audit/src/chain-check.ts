import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import type { Disclosure } from './commitments.ts';
import { genesisOf, linkOf } from './entry.ts';
import { createPersonalCheck } from './erasures.ts';
import type { ChainHeader } from './log-lines.ts';
import { createMerkleTree, hashLeaf, type MerkleTree } from './merkle.ts';
import type { NoteVerifier } from './signed-note.ts';

/** What is wrong with a log. */
export type AuditProblemKind =
  /** An entry is not what was hashed. */
  | 'edited'
  /** An entry does not follow the one before it: inserted, exchanged, or the chain was written anew from here. */
  | 'broken_link'
  /** Entries are missing between two others, or at the beginning. */
  | 'deleted'
  /** Entries stand in another order than they were sealed in. */
  | 'reordered'
  /** Two entries have one place, or two checkpoints of one size differ. */
  | 'forked'
  /** Entries at the end are missing. */
  | 'truncated'
  /** Entries stand behind the signed end. */
  | 'unsigned_tail'
  /** A checkpoint vouches for other entries than these. */
  | 'rewritten'
  /** A whole chain is missing, or its signed end is. */
  | 'missing'
  /** An entry or a checkpoint of another tenant. */
  | 'foreign'
  /** Time ran backwards. */
  | 'clock_rollback'
  /** A checkpoint without a signature by a known key. */
  | 'bad_signature'
  /** A personal value is not the one that was committed to. */
  | 'personal_changed'
  /** The columns by which an entry is searched say something else than it does. */
  | 'misfiled'
  /** Personal values are gone, and no entry tells of their erasure. */
  | 'erased_unrecorded'
  /** The stored end of a chain is not the one that its checkpoint vouches for, so nothing can be sealed behind it. */
  | 'end_changed'
  /** Events wait that were not sealed in time. */
  | 'unsealed'
  /** A line that is none of an export. */
  | 'malformed';

export interface AuditProblem {
  readonly kind: AuditProblemKind;
  readonly tenantId: string | null;
  /** The place in the chain, where it concerns one. */
  readonly seq: number | null;
  readonly message: string;
}

/** What was found of one chain. */
export interface CheckedChain {
  readonly tenantId: string | null;
  /** How many entries it has had, removed ones included. */
  readonly size: number;
  /** How many were read. */
  readonly entries: number;
  /** The hash of the last entry, hexadecimal. */
  readonly head: string;
  /** The Merkle root, hexadecimal. */
  readonly root: string;
  /** The keys that signed its end, `<name>+<id>`. */
  readonly signedBy: readonly string[];
}

export interface ChainCheck {
  /** A checkpoint that the chain must agree with, from wherever it comes. Before the first entry. */
  expect(note: string): void;
  /** An end that the service's own chain remembers. Before the first entry. */
  expectEnd(end: { size: number; head: string }): void;
  entry(
    body: string,
    hash: string,
    personal: Readonly<Record<string, Disclosure>> | undefined,
  ): void;
  finish(): CheckedChain;
  readonly erased: number;
}

export interface ChainCheckOptions {
  readonly notes: NoteVerifier;
  /** Whether a checkpoint without a good signature is a problem. */
  readonly mustBeSigned: boolean;
  /** Entries whose personal values may be missing, though none of the chain's entries says so. */
  isExcused(id: string): boolean;
  report(problem: AuditProblem): void;
}

// An event may be stamped by a machine whose clock is ahead of that which seals.
const clockSkewMs = 60_000;

interface Expected {
  readonly head: string;
  readonly root: string | undefined;
}

/** Follows one chain from its beginning to its end. */
export function createChainCheck(
  { tenantId, head, purged, frontier }: ChainHeader,
  { notes, mustBeSigned, isExcused, report }: ChainCheckOptions,
): ChainCheck {
  const problem = (kind: AuditProblemKind, message: string, at: number | null = null) =>
    report({ kind, tenantId, seq: at, message });
  const expected = new Map<number, Expected>();
  const values = createPersonalCheck({ problem, isExcused });
  let signedBy: readonly string[] = [];
  let entries = 0;

  const read = (note: string): (Checkpoint & { signers: readonly string[] }) | undefined => {
    const checkpoint = parseCheckpoint(note);
    if (checkpoint === undefined) {
      problem('malformed', 'a checkpoint cannot be read');
      return undefined;
    }
    const signers = notes.signersOf(checkpoint.note);
    if (mustBeSigned && signers.length === 0)
      problem('bad_signature', 'a checkpoint is not signed by a known key', checkpoint.size);
    if (checkpoint.tenantId !== tenantId)
      problem('foreign', 'a checkpoint belongs to another chain', checkpoint.size);
    return checkpoint.tenantId === tenantId ? { ...checkpoint, signers } : undefined;
  };
  const demand = (size: number, end: Expected) => {
    const known = expected.get(size);
    const differs =
      known !== undefined &&
      (known.head !== end.head || (known.root ?? end.root) !== (end.root ?? known.root));
    if (differs) problem('forked', 'two ends of one size differ', size);
    if (known === undefined || known.root === undefined) expected.set(size, end);
  };
  const expect = (note: string) => {
    const checkpoint = read(note);
    if (checkpoint !== undefined) demand(checkpoint.size, checkpoint);
    return checkpoint;
  };

  const start = beginning();
  let { seq, previous } = start;
  let sealedAt = -Infinity;
  let before = '';
  const tree: MerkleTree | undefined = start.tree;
  const end = head === null ? undefined : expect(head);
  if (end !== undefined) signedBy = end.signers;
  compare(seq, previous);

  function beginning(): { seq: number; previous: string; tree: MerkleTree | undefined } {
    const fresh = { seq: 0, previous: genesisOf(tenantId), tree: createMerkleTree() };
    if (purged === null) return fresh;
    const checkpoint = read(purged);
    if (checkpoint === undefined) return fresh;
    if (!checkpoint.isRetention)
      problem('deleted', 'a checkpoint that is none of retention stands for removed entries');
    const { size, head: last, root } = checkpoint;
    const resumed = resume(size, frontier);
    if (resumed?.root() !== root)
      problem('rewritten', 'the frontier behind removed entries does not fit its checkpoint', size);
    return { seq: size, previous: last, tree: resumed?.root() === root ? resumed : undefined };
  }

  function compare(size: number, hash: string): void {
    const wanted = expected.get(size);
    if (wanted === undefined) return;
    const isSame =
      wanted.head === hash &&
      (wanted.root === undefined || tree === undefined || wanted.root === tree.root());
    if (!isSame) problem('rewritten', 'the entries up to here are not those of a checkpoint', size);
  }

  function place(found: number, foundPrevious: string): void {
    if (found === seq + 1) {
      if (foundPrevious !== previous)
        problem('broken_link', 'it does not follow the entry before it', found);
    } else if (found > seq + 1) {
      problem('deleted', `${found - seq - 1} entries before it are missing`, found);
    } else if (found === seq && foundPrevious === before) {
      problem('forked', 'two entries have this place', found);
    } else {
      problem('reordered', 'it stands behind a later entry', found);
    }
  }

  return {
    get erased() {
      return values.erased;
    },
    expect: (note) => void expect(note),
    expectEnd: ({ size, head: last }) => demand(size, { head: last, root: undefined }),
    entry(body, hash, personal) {
      entries += 1;
      const link = linkOf(body);
      if (link === undefined) return problem('malformed', 'an entry is not canonical', null);
      const computed = hashLeaf(body);
      if (computed !== hash) problem('edited', 'it is not what was sealed', link.seq);
      if (link.tenantId !== tenantId) problem('foreign', 'it belongs to another chain', link.seq);
      place(link.seq, link.previous);
      if (link.sealedAt < sealedAt)
        problem('clock_rollback', 'it was sealed before the entry before it', link.seq);
      if (link.at > link.sealedAt + clockSkewMs)
        problem('clock_rollback', 'it was sealed before it happened', link.seq);
      tree?.append(computed);
      [before, previous, seq, sealedAt] = [link.previous, hash, link.seq, link.sealedAt];
      compare(seq, computed);
      values.entry(body, personal, link.seq);
    },
    finish() {
      values.finish();
      const longest = Math.max(...expected.keys(), 0);
      if (head === null && seq > 0) problem('missing', 'the chain has no end', null);
      if (seq < longest) problem('truncated', `it once had ${longest} entries`, longest);
      if (end !== undefined && seq > end.size)
        problem('unsigned_tail', `its signed end is at ${end.size}`, seq);
      const root = tree?.root() ?? '';
      return { tenantId, size: seq, entries, head: previous, root, signedBy };
    },
  };
}

function resume(size: number, nodes: readonly string[]): MerkleTree | undefined {
  try {
    return createMerkleTree({ size, nodes });
  } catch {
    return undefined;
  }
}
