import { expect, test } from 'vitest';
import {
  createNoteSigner,
  createNoteVerifier,
  createSigningKey,
  parseNote,
  splitNotes,
} from '../src/index.ts';

// The example of golang.org/x/mod/sumdb/note: whatever reads notes there reads ours.
const publicKey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const privateKey = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const text =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const note = `${text}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

test('a note is signed as by the reference implementation', () => {
  const signer = createNoteSigner(privateKey);
  expect(signer.publicKey).toBe(publicKey);
  expect(signer.sign(text)).toBe(note);
  expect(createNoteVerifier([publicKey]).signersOf(parseNote(note))).toEqual([
    'PeterNeumann+c74f20a3',
  ]);
});

test('a changed text, a foreign key and a borrowed key name do not verify', () => {
  const verifier = createNoteVerifier([publicKey]);
  expect(verifier.signersOf(parseNote(note.replace('answer', 'cause')))).toEqual([]);
  const other = createSigningKey({ name: 'PeterNeumann' });
  expect(verifier.signersOf(parseNote(createNoteSigner(other.privateKey).sign(text)))).toEqual([]);
  expect(createNoteVerifier([]).signersOf(parseNote(note))).toEqual([]);
});

test('a new key signs what its public half verifies', () => {
  const key = createSigningKey({ name: 'audit.example.com/2026' });
  const signer = createNoteSigner(key.privateKey);
  expect(signer.publicKey).toBe(key.publicKey);
  expect(createNoteVerifier([key.publicKey]).signersOf(parseNote(signer.sign(text)))).toHaveLength(
    1,
  );
});

test.each(['', 'secret', privateKey.replace('c74f20a3', 'c74f20a4'), `${privateKey}AAAA`])(
  'a damaged private key is refused without being shown',
  (damaged) => {
    expect(() => createNoteSigner(damaged)).toThrow(TypeError);
    expect(() => createNoteSigner(damaged)).toThrow(/^the signing key is/);
  },
);

test('a damaged public key and a key name with a blank are mistakes', () => {
  expect(() => createNoteVerifier([publicKey.replace('c74f', 'c74e')])).toThrow(TypeError);
  expect(() => createSigningKey({ name: 'a b' })).toThrow(TypeError);
});

test('notes in one file come apart', () => {
  expect(splitNotes(`${note}${note}`)).toEqual([note, note]);
  expect(splitNotes(`${note}\n\n${note.replaceAll('\n', '\r\n')}`)).toEqual([note, note]);
  expect(splitNotes('')).toEqual([]);
});
