import { recordingLogger } from '@svc/core/testing';
import type { Db } from '@svc/db';
import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { bcrypt } from '../src/bcrypt.ts';
import { betterAuthScrypt } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { createPasswordHasher } from '../src/passwords/password-hasher.ts';
import { codeOf, openAuth } from './open-auth.ts';

// Both of `short one`, by @better-auth/utils and @node-rs/bcrypt.
const hashes: [kind: string, hash: string][] = [
  ['bcrypt', '$2b$05$yampOWGFeEK5xudhLajpzOMljT3erg7H1CUXgm8xmx/Zid1yP9Q3G'],
  [
    'better-auth',
    '505877d27a2fd67b94a2e791b5d40f27:762b475d851e73f8040be8f2d062eb78ddb0cd491e7aecb6606432a678736e29e945ccd05e3b74c52120b4fea9d7eb186b247cb050034aa3859c542b6a050912',
  ],
];
const password = 'short one';
const foreign = [bcrypt, betterAuthScrypt];

describeDatabases('imported passwords', [authMigrations], (test) => {
  const phcOf = async (db: Db, email: string): Promise<string> => {
    const row = await db
      .selectFrom('svc_auth.password_credentials as c')
      .innerJoin('svc_auth.users as u', 'u.id', 'c.user_id')
      .select('c.phc')
      .where('u.email', '=', email)
      .executeTakeFirstOrThrow();
    return row.phc as string;
  };
  const putHash = async (db: Db, email: string, hash: string) => {
    const phc = createPasswordHasher({}, { foreign }).parseForeign(hash);
    await db
      .updateTable('svc_auth.password_credentials')
      .set({ phc })
      .where('user_id', 'in', (users: Db) =>
        users.selectFrom('svc_auth.users').select('id').where('email', '=', email),
      )
      .execute();
    return phc;
  };

  for (const [kind, hash] of hashes) {
    test(`a password that ${kind} hashed signs in although it is short by today's rule, and is argon2id from then on`, async ({
      db,
    }) => {
      const { auth, member } = openAuth(db, { passwords: { foreign } });
      const email = await member();
      const phc = await putHash(db, email, hash);
      expect(await codeOf(auth.login({ email, password: `${password}!` }))).toBe(
        'auth.invalid_credentials',
      );
      await auth.stop();
      expect(await phcOf(db, email)).toBe(phc);
      await auth.login({ email, password });
      await auth.stop();
      expect(await phcOf(db, email)).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
      await auth.login({ email, password });
      expect(await codeOf(auth.login({ email, password: `${password}!` }))).toBe(
        'auth.invalid_credentials',
      );
    });
  }

  test('a hash whose kind the app forgot signs nobody in, as for an unknown user, and operators are told', async ({
    db,
  }) => {
    const logger = recordingLogger();
    const { auth, member } = openAuth(db, { logger });
    const email = await member();
    const phc = await putHash(db, email, hashes[0]?.[1] as string);
    expect(await codeOf(auth.login({ email, password }))).toBe('auth.invalid_credentials');
    expect(logger.lines).toEqual([
      {
        level: 'error',
        message: 'a password hash cannot be read',
        fields: { scheme: '$2b$' },
      },
    ]);
    expect(JSON.stringify(logger.lines)).not.toContain(phc.slice(4));
  });
});
