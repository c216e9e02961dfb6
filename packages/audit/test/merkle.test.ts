import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  consistencyProof,
  createMerkleTree,
  emptyRoot,
  hashLeaf,
  inclusionProof,
  merkleRoot,
  verifyConsistency,
  verifyInclusion,
} from '../src/index.ts';

// The reference data of github.com/google/certificate-transparency, merkletree/merkle_tree_test.
const leaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => hashLeaf(Buffer.from(hex, 'hex')));
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

test('the roots of RFC 6962 trees are those of the reference implementation', () => {
  expect(emptyRoot).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(merkleRoot([])).toBe(emptyRoot);
  expect(roots.map((_, index) => merkleRoot(leaves.slice(0, index + 1)))).toEqual(roots);
});

test('the inclusion proofs are those of the reference implementation', () => {
  expect(inclusionProof(leaves, 0)).toEqual([
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
  ]);
  expect(inclusionProof(leaves, 5)).toEqual([
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ]);
  expect(inclusionProof(leaves.slice(0, 1), 0)).toEqual([]);
});

test('the consistency proofs are those of the reference implementation', () => {
  expect(consistencyProof(leaves, 1)).toEqual([
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
  ]);
  expect(consistencyProof(leaves, 6)).toEqual([
    '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ]);
  expect(consistencyProof(leaves.slice(0, 5), 2)).toEqual([
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
  ]);
});

const many = Array.from({ length: 70 }, (_, index) => hashLeaf(String(index)));

test('every proof verifies, and none for another leaf, place, size or root', () => {
  const sizeAndPlace = fc
    .integer({ min: 1, max: many.length })
    .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 0, max: size - 1 })));
  fc.assert(
    fc.property(sizeAndPlace, ([size, index]) => {
      const some = many.slice(0, size);
      const claim = { leafHash: some[index] as string, index, size, root: merkleRoot(some) };
      const proof = inclusionProof(some, index);
      expect(verifyInclusion(claim, proof)).toBe(true);
      expect(verifyInclusion({ ...claim, leafHash: hashLeaf('x') }, proof)).toBe(false);
      expect(verifyInclusion({ ...claim, root: hashLeaf('x') }, proof)).toBe(false);
      expect(verifyInclusion({ ...claim, index: size }, proof)).toBe(false);
      expect(verifyInclusion(claim, [...proof, hashLeaf('x')])).toBe(false);
      const to = { size, root: claim.root };
      const from = { size: index + 1, root: merkleRoot(some.slice(0, index + 1)) };
      const grown = consistencyProof(some, index + 1);
      expect(verifyConsistency({ from, to }, grown)).toBe(true);
      expect(verifyConsistency({ from: { ...from, root: hashLeaf('x') }, to }, grown)).toBe(false);
      expect(verifyConsistency({ from, to: { ...to, root: hashLeaf('x') } }, grown)).toBe(false);
    }),
  );
});

test('a tree that goes on from its frontier ends with the same root', () => {
  fc.assert(
    fc.property(fc.nat(40), fc.nat(30), (first, second) => {
      const before = createMerkleTree();
      for (const leaf of many.slice(0, first)) before.append(leaf);
      const after = createMerkleTree(before.frontier());
      for (const leaf of many.slice(first, first + second)) after.append(leaf);
      expect(after.root()).toBe(merkleRoot(many.slice(0, first + second)));
    }),
  );
  expect(() => createMerkleTree({ size: 3, nodes: [hashLeaf('')] })).toThrow(TypeError);
});
