import { pbkdf2 as nodePbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { constantTimeEqual } from '@svc/core';
import type { ForeignHash } from '../foreign-hashes.ts';

const derive = promisify(nodePbkdf2);

// Django's salt is the bytes of a text; PHC strings and passlib encode theirs, passlib with `.` for `+`.
const django =
  /^pbkdf2_(sha256|sha512)\$(\d{1,9})\$([\x21-\x23\x25-\x7e]{1,64})\$([A-Za-z0-9+/]+)=*$/;
const phc =
  /^\$pbkdf2-(sha256|sha512)\$(?:i=)?(\d{1,9})(?:,l=\d{1,3})?\$([A-Za-z0-9+/.]{1,128})\$([A-Za-z0-9+/.]+)$/;
// About a second. Django 6.0 asks for 1 200 000.
const maxIterations = 5_000_000;

/** PBKDF2 (RFC 8018) with HMAC of SHA-256 or SHA-512, as Django (`pbkdf2_sha256$…`), passlib and others (`$pbkdf2-sha256$…`) write it. */
export const pbkdf2: ForeignHash = {
  name: 'PBKDF2',
  parse(value) {
    const found = django.exec(value) ?? phc.exec(value);
    if (found === null) return undefined;
    const [, digest, count, salt, key] = found as unknown as [
      string,
      string,
      string,
      string,
      string,
    ];
    const bytes = Buffer.from(key.replaceAll('.', '+'), 'base64');
    if (Number(count) < 1 || bytes.length < 16 || bytes.length > 64) return undefined;
    const encoded = value.startsWith('$') ? salt.replaceAll('.', '+') : base64Of(Buffer.from(salt));
    return {
      stored: `$pbkdf2-${digest}$i=${Number(count)}$${encoded}$${base64Of(bytes)}`,
      isTooCostly: Number(count) > maxIterations,
    };
  },
  isStored: (stored) => stored.startsWith('$pbkdf2-'),
  async verify(stored, password) {
    const [, digest, count, salt, key] = (phc.exec(stored) ?? []) as string[];
    const expected = Buffer.from(key ?? '', 'base64');
    const salted = Buffer.from(salt ?? '', 'base64');
    const kind = digest ?? 'sha256';
    const found = await derive(password, salted, Number(count), expected.length, kind);
    return constantTimeEqual(found, expected);
  },
};

const base64Of = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
