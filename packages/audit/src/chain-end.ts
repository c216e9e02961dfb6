import type { Trx } from '@svc/db';
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import { genesisOf, toTenantId } from './entry.ts';
import { splitFrontier } from './frontier.ts';
import { createMerkleTree } from './merkle.ts';
import { type NoteVerifier, parseNote } from './signed-note.ts';
import { type ChainRow, tablesOf } from './tables.ts';

// The columns of a chain that repeat what its notes vouch for can be changed by the app's role. Nothing may be signed
// that builds on them before they are compared: a signature would turn a slip or an attack into what the log says.

/** What the columns of a chain's end say that its note does not; `undefined` when they agree. */
export function endFault(row: ChainRow): string | undefined {
  if (row.note === null) return isFresh(row) ? undefined : 'it has a past and no checkpoint';
  const end = parseCheckpoint(row.note);
  if (end === undefined || end.isRetention) return 'its checkpoint is none of an end';
  return differenceTo(end, row, Number(row.size), row.frontier, row.head);
}

/** The same of where the chain begins since a purge. */
export function purgedFault(row: ChainRow): string | undefined {
  const { purged_note, purged_size, purged_frontier } = row;
  if (purged_note === null)
    return purged_size === 0n && (purged_frontier ?? '') === ''
      ? undefined
      : 'entries were removed without a checkpoint';
  const cut = parseCheckpoint(purged_note);
  if (cut === undefined || !cut.isRetention) return 'its checkpoint is none of retention';
  return differenceTo(cut, row, Number(purged_size), purged_frontier ?? '', cut.head);
}

/**
 * Lets pass a chain on whose end the next entries may build.
 *
 * @throws {Error} when it is not the end that was signed.
 */
export async function assertEnd(notes: NoteVerifier, trx: Trx, row: ChainRow): Promise<void> {
  const fault = endFault(row) ?? (await signatureFault(notes, trx, row));
  if (fault !== undefined)
    throw new Error(`nothing is sealed behind the stored end of this chain: ${fault}`);
}

/** Whether the log has keys and none of them signed this note. */
export function isUnsigned(notes: NoteVerifier, note: string): boolean {
  return notes.hasKeys && notes.signersOf(parseNote(note)).length === 0;
}

// A log may have begun without a key. Once a checkpoint of a chain was kept that a key signed, its end is signed, too:
// the app's role cannot remove that one.
async function signatureFault(
  notes: NoteVerifier,
  trx: Trx,
  { tenant_id, note }: ChainRow,
): Promise<string | undefined> {
  if (!notes.hasKeys && note !== null && parseNote(note).signatures.length > 0)
    return 'it is signed, and this process has no key';
  if (note !== null && !isUnsigned(notes, note)) return undefined;
  const kept = await tablesOf(trx)
    .selectFrom('svc_audit.checkpoints')
    .select('note')
    .where('tenant_id', '=', tenant_id)
    .execute();
  if (note === null) return kept.length === 0 ? undefined : 'it has checkpoints and no end';
  const wasSigned =
    parseNote(note).signatures.length > 0 || kept.some((each) => !isUnsigned(notes, each.note));
  return wasSigned ? 'it is not signed by a known key' : undefined;
}

const isFresh = ({ tenant_id, size, head, frontier, purged_note }: ChainRow) =>
  size === 0n &&
  head === genesisOf(toTenantId(tenant_id)) &&
  frontier === '' &&
  purged_note === null;

function differenceTo(
  { tenantId, size, head, root }: Checkpoint,
  { tenant_id }: ChainRow,
  storedSize: number,
  frontier: string,
  storedHead: string,
): string | undefined {
  if (tenantId !== toTenantId(tenant_id)) return 'its checkpoint belongs to another chain';
  if (size !== storedSize) return 'its size is not that of its checkpoint';
  if (head !== storedHead) return 'its last hash is not that of its checkpoint';
  return rootOf(storedSize, frontier) === root
    ? undefined
    : 'its frontier is not that of its checkpoint';
}

function rootOf(size: number, frontier: string): string | undefined {
  try {
    return createMerkleTree({ size, nodes: splitFrontier(frontier) }).root();
  } catch {
    return undefined;
  }
}
