import { recordEvents } from '@svc/core/testing';
import { transact } from '@svc/db';
import { databaseTest, describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { bcrypt } from '../src/bcrypt.ts';
import { acted, betterAuthScrypt, firebaseScrypt, pbkdf2 } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { codeOf, newPassword, openAuth, password, someone, tally } from './open-auth.ts';

const staff = { type: 'user', id: '01900000-0000-7000-8000-000000000009' } as const;
const firebase = firebaseScrypt({
  signerKey:
    'jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==',
  saltSeparator: 'Bw==',
  rounds: 8,
  memCost: 14,
});
const passwords = { foreign: [bcrypt, betterAuthScrypt, firebase, pbkdf2] };

// Vectors of crypt_blowfish, better-auth, firebase/scrypt, argon2's reference implementation and Django.
const hashes: [kind: string, typed: string, hash: string][] = [
  ['bcrypt', 'U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  [
    'better-auth',
    'short one',
    '505877d27a2fd67b94a2e791b5d40f27:762b475d851e73f8040be8f2d062eb78ddb0cd491e7aecb6606432a678736e29e945ccd05e3b74c52120b4fea9d7eb186b247cb050034aa3859c542b6a050912',
  ],
  [
    'Firebase',
    'user1password',
    '$firebase-scrypt$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==',
  ],
  [
    'argon2',
    'password',
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  ],
  [
    'PBKDF2',
    'lètmein',
    'pbkdf2_sha256$1200000$seasalt$6sTlFi4QohxXLuZigqDIUNX8xG9NxrTmV8+flFQdBqE=',
  ],
];

describeDatabases('import of users', [authMigrations], (test) => {
  const open = (db: Parameters<typeof openAuth>[0]) => openAuth(db, { passwords });
  const phcOf = async (db: Parameters<typeof openAuth>[0], userId: string) => {
    const row = await db
      .selectFrom('svc_auth.password_credentials')
      .select('phc')
      .where('user_id', '=', userId)
      .executeTakeFirst();
    return row?.phc as string | undefined;
  };

  for (const [kind, typed, hash] of hashes) {
    test(`a verified user of ${kind} signs in with their password, which is argon2id from then on`, async ({
      db,
    }) => {
      const { auth, outbox } = open(db);
      const email = someone();
      const { id } = await auth.users.import({ email, verified: true, passwordHash: hash }, staff);
      expect(await codeOf(auth.login({ email, password: `${typed}!` }))).toBe(
        'auth.invalid_credentials',
      );
      await auth.login({ email, password: typed });
      await auth.stop();
      expect(await phcOf(db, id)).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
      await auth.login({ email, password: typed });
      expect(outbox.mails).toEqual([]);
    });

    test(`an unverified user of ${kind} signs in once they followed the link that their login mails`, async ({
      db,
    }) => {
      const { auth, outbox, clock } = open(db);
      const email = someone();
      const { id, verifiedAt } = await auth.users.import(
        { email, verified: false, passwordHash: hash },
        staff,
      );
      expect(verifiedAt).toBeNull();
      await clock.advance('100d');
      expect(await codeOf(auth.login({ email, password: typed }))).toBe('auth.invalid_credentials');
      await auth.verify({ token: await outbox.nextToken('verify', email) });
      await auth.login({ email, password: typed });
      await auth.stop();
      expect(await phcOf(db, id)).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
    });
  }

  test('keeps name, roles and age, and records who did it', async ({ db }) => {
    const { auth, clock } = open(db);
    const createdAt = new Date('2019-05-01T10:00:00Z');
    using seen = recordEvents(acted);
    const imported = await auth.users.import(
      { email: ' Ada@Example.com ', name: 'Ada', verified: true, roles: ['support'], createdAt },
      staff,
    );
    expect(imported).toMatchObject({
      email: 'Ada@example.com',
      name: 'Ada',
      roles: ['support'],
      verifiedAt: clock.now(),
      createdAt,
      disabledAt: null,
    });
    expect(seen.events.map(({ payload }) => payload)).toEqual([
      {
        type: 'auth.user.imported',
        outcome: 'success',
        userId: imported.id,
        details: { verified: true, hasPassword: false, roles: 'support' },
      },
    ]);
  });

  test('who comes without a password chooses one by mail, and then is verified', async ({ db }) => {
    const { auth, outbox } = open(db);
    for (const verified of [true, false]) {
      const email = someone();
      await auth.users.import({ email, verified }, staff);
      expect(await codeOf(auth.login({ email, password }))).toBe('auth.invalid_credentials');
      await auth.forgotPassword({ email });
      const token = await outbox.nextToken('reset_password', email);
      await auth.resetPassword({ token, password: newPassword });
      await auth.login({ email, password: newPassword });
    }
  });

  test('an address that has an account is refused, and nothing of it changes', async ({ db }) => {
    const { auth, member } = open(db);
    const email = await member();
    const again = { email: email.toUpperCase(), verified: true, roles: ['admin' as const] };
    expect(await codeOf(auth.users.import(again, staff))).toBe('auth.user_exists');
    const waiting = someone();
    await auth.register({ email: waiting, password });
    expect(await codeOf(auth.users.import({ email: waiting, verified: true }, staff))).toBe(
      'auth.user_exists',
    );
    const [row] = await auth.users.list({ limit: 1, email });
    expect(row?.roles).toEqual([]);
    await auth.login({ email, password });
  });

  test('in one transaction, a refused user does not keep the others out', async ({ db }) => {
    const { auth, member } = open(db);
    const emails = [someone(), await member(), someone()];
    await transact(db, async (trx) => {
      for (const email of emails)
        await codeOf(auth.users.import({ email, verified: true }, staff, { within: trx }));
    });
    for (const email of emails) expect(await auth.users.list({ limit: 2, email })).toHaveLength(1);
  });

  test('what cannot be is refused, and no hash is quoted', async ({ db }) => {
    const { auth, clock } = open(db);
    const good = { email: someone(), verified: true };
    const tooLate = new Date(clock.now().getTime() + 1);
    for (const [bad, pointer] of [
      [{ ...good, email: 'nobody' }, '/email'],
      [{ ...good, passwordHash: 'md5:5f4dcc3b5aa765d61d8327deb882cf99' }, '/passwordHash'],
      [{ ...good, roles: ['king' as 'admin'] }, '/roles'],
      [{ ...good, name: 'a\nb' }, '/name'],
      [{ ...good, createdAt: tooLate }, '/createdAt'],
    ] as const) {
      const error = await auth.users.import(bad, staff).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'core.validation_failed',
        details: { errors: [{ pointer }] },
      });
      expect(JSON.stringify(error)).not.toContain('5f4dcc3b');
    }
    for (const bad of [
      { ...good, createdAt: new Date(Number.NaN) },
      { ...good, verified: 'yes' as unknown as boolean },
    ])
      await expect(auth.users.import(bad, staff)).rejects.toThrow(TypeError);
    expect(await auth.users.list({ limit: 1, email: good.email })).toEqual([]);
  });
});

databaseTest([authMigrations])(
  'of 50 imports of one address at once, one succeeds',
  async ({ db }) => {
    const { auth } = openAuth(db);
    const email = someone();
    const imports = Array.from({ length: 50 }, () =>
      auth.users.import({ email, verified: true }, staff),
    );
    expect(await tally(imports)).toEqual({ fulfilled: 1, codes: ['auth.user_exists'] });
  },
);
