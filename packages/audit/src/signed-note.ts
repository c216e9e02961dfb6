import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import { randomBytes, type RandomBytes } from '@svc/core';

// Signed notes of C2SP (c2sp.org/signed-note), with the text forms of keys of golang.org/x/mod/sumdb/note.

/** A pair of keys for checkpoints, each one line of text. */
export interface SigningKey {
  /** `PRIVATE+KEY+<name>+<id>+<base64>`; a secret. */
  readonly privateKey: string;
  /** `<name>+<id>+<base64>`; for everyone who verifies. */
  readonly publicKey: string;
}

/** Signs notes with one key. */
export interface NoteSigner {
  readonly publicKey: string;
  /** The text with a signature under it. */
  sign(text: string): string;
}

const ed25519 = 1;
// RFC 8410, 7: a PKCS #8 private key of Ed25519 is this and the 32 bytes of the seed.
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Makes an Ed25519 key. `name` is what verifiers see, such as `audit.example.com/2026`: no blank, no plus. @throws {TypeError} */
export function createSigningKey({
  name,
  random = randomBytes,
}: {
  name: string;
  random?: RandomBytes;
}): SigningKey {
  if (!/^[^\s+]{1,200}$/u.test(name))
    throw new TypeError('the name of a key has 1 to 200 characters, no blank and no plus');
  const seed = Buffer.from(random(32));
  const { id, encoded } = describe(name, publicBytes(fromSeed(seed)));
  const secret = Buffer.concat([Buffer.from([ed25519]), seed]).toString('base64');
  return {
    privateKey: `PRIVATE+KEY+${name}+${id}+${secret}`,
    publicKey: `${name}+${id}+${encoded}`,
  };
}

/** Reads a private key. @throws {TypeError} that says nothing of the key. */
export function createNoteSigner(privateKey: string): NoteSigner {
  const [, name = '', id = '', encoded = ''] =
    /^PRIVATE\+KEY\+([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(privateKey.trim()) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length !== 33 || bytes[0] !== ed25519)
    throw new TypeError('the signing key is not one that createSigningKey makes');
  const key = fromSeed(bytes.subarray(1));
  const described = describe(name, publicBytes(key));
  if (described.id !== id)
    throw new TypeError('the signing key is damaged: its id does not fit it');
  return {
    publicKey: `${name}+${id}+${described.encoded}`,
    sign(text) {
      const signature = Buffer.concat([Buffer.from(id, 'hex'), sign(null, Buffer.from(text), key)]);
      return `${text}\n— ${name} ${signature.toString('base64')}\n`;
    },
  };
}

/** Checks notes against public keys. */
export interface NoteVerifier {
  /** Whether it knows any key. */
  readonly hasKeys: boolean;
  /** The names of the keys that signed it, `<name>+<id>`; signatures of unknown keys count for nothing. */
  signersOf(note: SignedNote): readonly string[];
}

/** @throws {TypeError} when a key is not one that createSigningKey makes. */
export function createNoteVerifier(publicKeys: readonly string[]): NoteVerifier {
  const keys = new Map(publicKeys.map((publicKey) => parsePublicKey(publicKey)));
  return {
    hasKeys: keys.size > 0,
    signersOf({ text, signatures }) {
      return signatures.flatMap(({ name, id, signature }) => {
        const key = keys.get(`${name}+${id}`);
        const isGood = key !== undefined && verify(null, Buffer.from(text), key, signature);
        return isGood ? [`${name}+${id}`] : [];
      });
    },
  };
}

export interface SignedNote {
  /** What is signed, with its last line end. */
  readonly text: string;
  readonly signatures: readonly { name: string; id: string; signature: Uint8Array }[];
}

/** Takes a note apart; a text without signatures is one, too. */
export function parseNote(note: string): SignedNote {
  const end = note.lastIndexOf('\n\n');
  if (end < 0) return { text: note, signatures: [] };
  const signatures = note
    .slice(end + 2)
    .split('\n')
    .flatMap((line) => {
      const [, name, encoded] = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line) ?? [];
      if (name === undefined || encoded === undefined) return [];
      const bytes = Buffer.from(encoded, 'base64');
      return [{ name, id: bytes.toString('hex', 0, 4), signature: bytes.subarray(4) }];
    });
  return { text: note.slice(0, end + 1), signatures };
}

/** The notes in a file that holds one after the other, or lines of a log in which `logAnchor` wrote them. */
export function splitNotes(file: string): string[] {
  const all = file.replaceAll('\r\n', '\n').split('\n');
  const logged = all.flatMap((line) => loggedNote(line) ?? []);
  if (logged.length > 0) return logged;
  const notes: string[] = [];
  let lines: string[] = [];
  const close = () => {
    const note = lines.join('\n').trim();
    if (note !== '') notes.push(`${note}\n`);
    lines = [];
  };
  for (const line of all) {
    if (!line.startsWith('— ') && lines.at(-1)?.startsWith('— ') === true) close();
    lines.push(line);
  }
  close();
  return notes;
}

function loggedNote(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { checkpoint } = JSON.parse(line) as { checkpoint?: unknown };
    return typeof checkpoint === 'string' ? checkpoint : undefined;
  } catch {
    return undefined;
  }
}

function parsePublicKey(publicKey: string): [string, KeyObject] {
  const [, name = '', id = '', encoded = ''] =
    /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(publicKey.trim()) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length !== 33 || bytes[0] !== ed25519)
    throw new TypeError('a public key is not one that createSigningKey makes');
  const raw = bytes.subarray(1);
  if (describe(name, raw).id !== id)
    throw new TypeError('a public key is damaged: its id does not fit it');
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') };
  return [`${name}+${id}`, createPublicKey({ key: jwk, format: 'jwk' })];
}

function describe(name: string, raw: Uint8Array): { id: string; encoded: string } {
  const typed = Buffer.concat([Buffer.from([ed25519]), raw]);
  const id = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typed]), 'hex').slice(0, 8);
  return { id, encoded: typed.toString('base64') };
}

const fromSeed = (seed: Uint8Array) =>
  createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });

const publicBytes = (key: KeyObject) =>
  Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x as string, 'base64url');
