import { hash } from 'node:crypto';

// Merkle trees of RFC 6962, section 2.1. Hashes are hexadecimal texts of 64 characters.

/** The hash of the tree without leaves: SHA-256 of nothing. */
export const emptyRoot: string = hash('sha256', '', 'hex');

/** The hash of a leaf: SHA-256 of 0x00 and its bytes; a text stands for its UTF-8. */
export function hashLeaf(leaf: string | Uint8Array): string {
  if (typeof leaf === 'string') return hash('sha256', `\0${leaf}`, 'hex');
  return hash('sha256', Buffer.concat([Buffer.from([0]), leaf]), 'hex');
}

/** The hash of an inner node: SHA-256 of 0x01 and the hashes of its children. */
export function hashNode(left: string, right: string): string {
  return hash('sha256', Buffer.from(`01${left}${right}`, 'hex'), 'hex');
}

/** What a tree must remember to grow: the roots of its full subtrees, the largest first. */
export interface Frontier {
  /** How many leaves there are. */
  readonly size: number;
  readonly nodes: readonly string[];
}

/** A tree that grows by one leaf after the other and remembers only its frontier. */
export interface MerkleTree {
  append(leafHash: string): void;
  root(): string;
  frontier(): Frontier;
}

/** A tree that goes on from a frontier. @throws {TypeError} when the frontier cannot belong to its size. */
export function createMerkleTree(from: Frontier = { size: 0, nodes: [] }): MerkleTree {
  if (from.nodes.length !== oneBits(from.size))
    throw new TypeError('the frontier does not have as many nodes as its size demands');
  const nodes = [...from.nodes];
  let { size } = from;
  return {
    append(leafHash) {
      let node = leafHash;
      // Each trailing one-bit of the size is a full subtree that the new one completes to a larger one.
      for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2))
        node = hashNode(nodes.pop() as string, node);
      nodes.push(node);
      size += 1;
    },
    root: () =>
      nodes.length === 0 ? emptyRoot : nodes.reduceRight((right, left) => hashNode(left, right)),
    frontier: () => ({ size, nodes: [...nodes] }),
  };
}

/** The root of a tree with these leaf hashes. */
export function merkleRoot(leafHashes: readonly string[]): string {
  const tree = createMerkleTree();
  for (const leafHash of leafHashes) tree.append(leafHash);
  return tree.root();
}

/** What proves that a leaf is in the tree (RFC 6962, 2.1.1). @throws {RangeError} when there is no leaf of this index. */
export function inclusionProof(leafHashes: readonly string[], index: number): string[] {
  if (!Number.isInteger(index) || index < 0 || index >= leafHashes.length)
    throw new RangeError('there is no leaf of this index');
  if (leafHashes.length === 1) return [];
  const k = splitOf(leafHashes.length);
  const [left, right] = [leafHashes.slice(0, k), leafHashes.slice(k)];
  return index < k
    ? [...inclusionProof(left, index), merkleRoot(right)]
    : [...inclusionProof(right, index - k), merkleRoot(left)];
}

/** Whether the proof leads from a leaf to the root of a tree of `size` leaves (RFC 9162, 2.1.3.2). */
export function verifyInclusion(
  { leafHash, index, size, root }: { leafHash: string; index: number; size: number; root: string },
  proof: readonly string[],
): boolean {
  if (index < 0 || index >= size) return false;
  let [fn, sn, hashed] = [index, size - 1, leafHash];
  for (const node of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      hashed = hashNode(node, hashed);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else hashed = hashNode(hashed, node);
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && hashed === root;
}

/** What proves that the tree of the first `size` leaves became this one by appending only (RFC 6962, 2.1.2). @throws {RangeError} when `size` is not from 1 to the number of leaves. */
export function consistencyProof(leafHashes: readonly string[], size: number): string[] {
  if (!Number.isInteger(size) || size < 1 || size > leafHashes.length)
    throw new RangeError('the former size is not from 1 to the number of leaves');
  return subproof(leafHashes, size, true);
}

function subproof(leafHashes: readonly string[], size: number, isWhole: boolean): string[] {
  if (size === leafHashes.length) return isWhole ? [] : [merkleRoot(leafHashes)];
  const k = splitOf(leafHashes.length);
  const [left, right] = [leafHashes.slice(0, k), leafHashes.slice(k)];
  return size <= k
    ? [...subproof(left, size, isWhole), merkleRoot(right)]
    : [...subproof(right, size - k, false), merkleRoot(left)];
}

/** Whether the proof shows that the tree `from` grew into the tree `to` by appending only (RFC 9162, 2.1.4.2). */
export function verifyConsistency(
  { from, to }: Readonly<Record<'from' | 'to', { size: number; root: string }>>,
  proof: readonly string[],
): boolean {
  if (from.size < 1 || from.size > to.size) return false;
  if (from.size === to.size) return proof.length === 0 && from.root === to.root;
  const path = oneBits(from.size) === 1 ? [from.root, ...proof] : [...proof];
  let [fn, sn] = [from.size - 1, to.size - 1];
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)];
  const first = path.shift();
  if (first === undefined) return false;
  let [fr, sr] = [first, first];
  for (const node of path) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      [fr, sr] = [hashNode(node, fr), hashNode(node, sr)];
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else sr = hashNode(sr, node);
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && fr === from.root && sr === to.root;
}

const half = (value: number) => Math.floor(value / 2);

/** The largest power of two below `size`. */
function splitOf(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

function oneBits(value: number): number {
  let count = 0;
  for (let rest = value; rest > 0; rest = half(rest)) count += rest % 2;
  return count;
}
