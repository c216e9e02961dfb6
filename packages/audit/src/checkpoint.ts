import { serviceChain, toTenantId } from './entry.ts';
import { isUuid } from '@svc/core';
import { parseNote, type SignedNote } from './signed-note.ts';

/** What a signature vouches for: a chain had this many entries, with this root and this last hash. */
export interface Checkpoint {
  /** The log's name, without the tenant. */
  readonly origin: string;
  readonly tenantId: string | null;
  /** How many entries the chain had. */
  readonly size: number;
  /** The root of the Merkle tree over them (RFC 6962), hexadecimal. */
  readonly root: string;
  /** The hash of the last of them, hexadecimal. */
  readonly head: string;
  /** When that was. */
  readonly at: Date;
  /** Whether it vouches that what came before was removed by retention. */
  readonly isRetention: boolean;
}

/**
 * The text of a checkpoint in the form of C2SP tlog-checkpoint (origin, size, root) with three lines more: the
 * last hash, the time, and whether the entries were removed on purpose.
 */
export function checkpointText(checkpoint: Checkpoint): string {
  const { origin, tenantId, size, root, head, at, isRetention } = checkpoint;
  const lines = [
    `${origin}/${tenantId ?? 'service'}`,
    String(size),
    toBase64(root),
    `head ${toBase64(head)}`,
    `at ${at.toISOString()}`,
    ...(isRetention ? ['retention'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** Reads a checkpoint, without checking its signature; `undefined` when it is none. */
export function parseCheckpoint(note: string): (Checkpoint & { note: SignedNote }) | undefined {
  const parsed = parseNote(note);
  const match =
    /^([^\n]+)\/([^\n/]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\nhead ([A-Za-z0-9+/]{43}=)\nat (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\n(retention\n)?$/.exec(
      parsed.text,
    );
  if (match === null) return undefined;
  const [, origin = '', chain = '', size = '', root = '', head = '', at = '', retention] = match;
  if (chain !== 'service' && (!isUuid(chain) || chain === serviceChain)) return undefined;
  return {
    origin,
    tenantId: chain === 'service' ? null : toTenantId(chain),
    size: Number(size),
    root: toHex(root),
    head: toHex(head),
    at: new Date(at),
    isRetention: retention !== undefined,
    note: parsed,
  };
}

const toBase64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
const toHex = (base64: string) => Buffer.from(base64, 'base64').toString('hex');
