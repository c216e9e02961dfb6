import { databaseTest } from '@svc/db/testing';
import { expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { tally } from './open-auth.ts';
import { openPasskeys } from './open-passkeys.ts';

// On a real PostgreSQL only: PGlite has one connection and cannot show a race.
const test = databaseTest([authMigrations]);
const fifty = <Result>(act: (index: number) => Promise<Result>) =>
  Array.from({ length: 50 }, (_, index) => act(index));

test('of 50 copies of a passkey that show one count at once, one gets in', async ({ db }) => {
  const { passkeys, owner } = openPasskeys(db);
  const { authenticator } = await owner();
  const offers = await Promise.all(fifty(() => passkeys.loginOptions()));
  const attempts = offers.map(({ challenge, options }) =>
    passkeys.login({ challenge, response: authenticator.get(options, { signCount: 9 }) }),
  );
  expect(await tally(attempts)).toEqual({ fulfilled: 1, codes: ['auth.invalid_credentials'] });
});

test('50 who ask for options at once get one user handle', async ({ db }) => {
  const { passkeys, session } = openPasskeys(db);
  const { principal } = await session();
  const offers = await Promise.all(fifty(() => passkeys.registrationOptions(principal)));
  expect(new Set(offers.map(({ options }) => options.user.id))).toHaveLength(1);
});

test('when two last passkeys are removed at once, the account has one factor', async ({ db }) => {
  const { passkeys, owner, device } = openPasskeys(db);
  for (let round = 0; round < 5; round += 1) {
    const { principal, user } = await owner();
    const { challenge, options } = await passkeys.registrationOptions(principal);
    await passkeys.register(principal, { challenge, response: device().create(options) });
    const all = await passkeys.list(principal);
    await Promise.all(all.map(({ id }) => passkeys.remove(principal, id)));
    const row = await db
      .selectFrom('svc_auth.users')
      .select('mfa_enabled_at')
      .where('id', '=', user.id)
      .executeTakeFirstOrThrow();
    expect(row.mfa_enabled_at).toBeNull();
  }
});
