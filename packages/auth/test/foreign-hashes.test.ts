import { describe, expect, test } from 'vitest';
import { bcrypt } from '../src/bcrypt.ts';
import { betterAuthScrypt, firebaseScrypt, type ForeignHash, pbkdf2 } from '../src/index.ts';
import { createPasswordHasher } from '../src/passwords/password-hasher.ts';
import { fastHashing } from '../src/testing.ts';
import { tally } from './open-auth.ts';

// The project and the user of https://github.com/firebase/scrypt.
const firebase = firebaseScrypt({
  signerKey:
    'jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==',
  saltSeparator: 'Bw==',
  rounds: 8,
  memCost: 14,
});
const firebaseHash =
  '$firebase-scrypt$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==';
// hashPassword of @better-auth/utils 0.5.0, of a text that NFKC changes.
const betterAuthHash =
  '8ddca5353bfe81493b77ae28bff115cd:bb708154d7131f81301734fd8e365512ce6595aab25604b672cc3ae7b9fc0871b9acca53f0d520151f83ce1d7c0a38c9a57bd443902981bfd50bc529cbe82509';

const foreign = [bcrypt, betterAuthScrypt, firebase, pbkdf2];
const hasher = createPasswordHasher(fastHashing, { foreign });

const vectors: [kind: string, password: string, hash: string][] = [
  // crypt_blowfish, wrapper.c.
  ['bcrypt 2a', 'U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['bcrypt 2y', 'U*U*', '$2y$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK'],
  ['bcrypt 2b', 'U*U', '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['better-auth', 'ﬁve quiet ①tters Ångström', betterAuthHash],
  ['Firebase', 'user1password', firebaseHash],
  // The reference implementation's tests, and OpenSSL 3 by node:crypto for argon2d.
  [
    'argon2i',
    'password',
    '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA',
  ],
  [
    'argon2i of version 16',
    'password',
    '$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ',
  ],
  [
    'argon2id',
    'password',
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  ],
  [
    'argon2d',
    'password',
    '$argon2d$v=19$m=256,t=3,p=2$c29tZXNhbHRzb21lc2FsdA$ZZT0k5qyF1Xam68BTMcQTqzN1GN4yvYmZsfNM3Qqoa8',
  ],
  // Django's tests/auth_tests/test_hashers.py.
  [
    'Django',
    'lètmein',
    'pbkdf2_sha256$1200000$seasalt$6sTlFi4QohxXLuZigqDIUNX8xG9NxrTmV8+flFQdBqE=',
  ],
  // passlib's tests/test_handlers_pbkdf2.py.
  [
    'passlib',
    'password',
    '$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ',
  ],
  [
    'PBKDF2 as a PHC string',
    'password',
    '$pbkdf2-sha256$i=1212,l=32$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg+fJPeq1h/gXXY7acBp9/6c+tmQ',
  ],
];

describe('hashes of other systems', () => {
  test.each(vectors)('%s is verified, a wrong password is not', async (_, password, hash) => {
    const stored = hasher.parseForeign(hash);
    expect(stored).toMatch(/^\$[a-z0-9-]+\$/);
    expect(await hasher.verify(stored, password)).toBe(true);
    expect(await hasher.verify(stored, `${password}!`)).toBe(false);
    expect(await hasher.verify(stored, password.slice(0, -1))).toBe(false);
    expect(hasher.isOutdated(stored)).toBe(true);
  });

  test('bcrypt looks at 72 bytes, as where the hash comes from', async () => {
    const beginning = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
    const hash = '$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui';
    expect(await hasher.verify(hash, `${beginning}chars after 72 are ignored`)).toBe(true);
    expect(await hasher.verify(hash, `${beginning}other chars`)).toBe(true);
    expect(await hasher.verify(hash, `${beginning.slice(0, 71)}_`)).toBe(false);
  });

  test('better-auth compares in NFKC, and so two spellings fit', async () => {
    const stored = hasher.parseForeign(betterAuthHash);
    expect(await hasher.verify(stored, 'five quiet 1tters A\u030angstro\u0308m')).toBe(true);
  });

  test('a hash of another Firebase project does not fit', async () => {
    const other = firebaseScrypt({
      signerKey: Buffer.alloc(64, 7).toString('base64'),
      saltSeparator: 'Bw==',
      rounds: 8,
      memCost: 14,
    });
    const others = createPasswordHasher(fastHashing, { foreign: [other] });
    expect(await others.verify(others.parseForeign(firebaseHash), 'user1password')).toBe(false);
  });

  test.each([
    ['bcrypt of cost 15', '$2b$15$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
    [
      'argon2 of 4 GB',
      '$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8',
    ],
    [
      'argon2 of a thousand passes',
      '$argon2id$v=19$m=65536,t=1000,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8',
    ],
    [
      'argon2 of 255 lanes',
      '$argon2id$v=19$m=65536,t=1,p=255$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8',
    ],
    [
      'PBKDF2 of a hundred million iterations',
      'pbkdf2_sha256$100000000$seasalt$6sTlFi4QohxXLuZigqDIUNX8xG9NxrTmV8+flFQdBqE=',
    ],
  ])('%s is refused when it is imported', (_, hash) => {
    expect(faultOf(() => hasher.parseForeign(hash))).toEqual({
      pointer: '/passwordHash',
      code: 'password_hash_too_costly',
    });
  });

  test.each([
    '',
    'not a hash',
    'seven quiet otters at dawn',
    '$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
    '$2b$05$short',
    '$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
    '5f4dcc3b5aa765d61d8327deb882cf99',
    'pbkdf2_sha1$1200000$seasalt$6sTlFi4QohxXLuZigqDIUNX8xG9NxrTmV8+flFQdBqE=',
    'pbkdf2_sha256$0$seasalt$6sTlFi4QohxXLuZigqDIUNX8xG9NxrTmV8+flFQdBqE=',
    'pbkdf2_sha256$1200000$seasalt$c2hvcnQ=',
    '$firebase-scrypt$42xEC+ixf3L2lw==$c2hvcnQ=',
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ',
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhb$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    betterAuthHash.toUpperCase(),
    `$2b$05$${'C'.repeat(600)}`,
  ])('%j is no hash of a known kind, and the message does not repeat it', (hash) => {
    expect(faultOf(() => hasher.parseForeign(hash, '/users/3/hash'))).toEqual({
      pointer: '/users/3/hash',
      code: 'password_hash_unknown',
    });
    try {
      hasher.parseForeign(hash);
    } catch (error) {
      if (hash !== '') expect(JSON.stringify(error)).not.toContain(hash);
    }
  });

  test('a kind that the app did not ask for is not known', () => {
    const plain = createPasswordHasher(fastHashing);
    expect(faultOf(() => plain.parseForeign(betterAuthHash)).code).toBe('password_hash_unknown');
  });

  test('they are checked within the same bounds as our own', async () => {
    let running = 0;
    let most = 0;
    let open = () => {};
    const opened = new Promise<void>((resolve) => (open = resolve));
    const slow: ForeignHash = {
      name: 'slow',
      parse: (value) => ({ stored: value, isTooCostly: false }),
      isStored: (stored) => stored === '$slow$',
      async verify() {
        most = Math.max(most, ++running);
        await opened;
        running -= 1;
        return true;
      },
    };
    const bounded = createPasswordHasher(
      { ...fastHashing, maxRunning: 2, maxWaiting: 3 },
      { foreign: [slow] },
    );
    const checks = Array.from({ length: 7 }, () => bounded.verify('$slow$', 'x'));
    open();
    expect(await tally(checks)).toEqual({ fulfilled: 5, codes: ['auth.busy'] });
    expect(most).toBe(2);
  });

  test.each([{ signerKey: 'not base64!' }, { saltSeparator: '%' }, { rounds: 9 }, { memCost: 30 }])(
    'a Firebase parameter that cannot be is a bug of the caller: %o',
    (parameter) => {
      const options = { signerKey: 'Bw==', saltSeparator: 'Bw==', rounds: 8, memCost: 14 };
      expect(() => firebaseScrypt({ ...options, ...parameter })).toThrow(TypeError);
    },
  );
});

function faultOf(parse: () => unknown): { pointer: string; code: string } {
  try {
    parse();
  } catch (error) {
    const { errors } = (error as { details: { errors: { pointer: string; code: string }[] } })
      .details;
    return { pointer: errors[0]?.pointer ?? '', code: errors[0]?.code ?? '' };
  }
  throw new Error('nothing was refused');
}
