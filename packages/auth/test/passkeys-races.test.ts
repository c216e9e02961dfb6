import { databaseTest } from '@svc/db/testing';
import { expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { tally } from './open-auth.ts';
import { openPasskeys } from './open-passkeys.ts';

// On a real PostgreSQL only: PGlite has one connection and cannot show a race.
const test = databaseTest([authMigrations]);
const fifty = <Result>(act: (index: number) => Promise<Result>) =>
  Array.from({ length: 50 }, (_, index) => act(index));
const once = { fulfilled: 1, codes: ['auth.invalid_challenge'] };

// Passkeys that do not count, so that nothing but the challenge decides.
const uncounted = { counts: false };

test('of 50 who sign in with one passkey challenge at once, one succeeds', async ({ db }) => {
  const { passkeys, owner } = openPasskeys(db);
  const { authenticator } = await owner(uncounted);
  const { challenge, options } = await passkeys.loginOptions();
  const response = authenticator.get(options);
  expect(await tally(fifty(() => passkeys.login({ challenge, response })))).toEqual(once);
});

test('of 50 who answer one second factor challenge at once, one succeeds', async ({ db }) => {
  const { passkeys, owner, halfSignedIn } = openPasskeys(db);
  const { authenticator, email } = await owner(uncounted);
  const { challenge } = await halfSignedIn(email);
  const { options } = await passkeys.secondFactorOptions({ challenge });
  const response = authenticator.get(options);
  expect(await tally(fifty(() => passkeys.answerChallenge({ challenge, response })))).toEqual(once);
});

test('of 50 who step up with one challenge at once, one succeeds', async ({ db }) => {
  const { passkeys, owner } = openPasskeys(db);
  const { authenticator, principal } = await owner(uncounted);
  const { challenge, options } = await passkeys.stepUpOptions(principal);
  const response = authenticator.get(options);
  expect(await tally(fifty(() => passkeys.stepUp(principal, { challenge, response })))).toEqual(
    once,
  );
});

test('of 50 who register with one challenge at once, one succeeds', async ({ db }) => {
  const { passkeys, session, device } = openPasskeys(db);
  const { principal } = await session();
  const { challenge, options } = await passkeys.registrationOptions(principal);
  const responses = Array.from({ length: 50 }, () => device().create(options));
  const attempts = responses.map((response) =>
    passkeys.register(principal, { challenge, response }),
  );
  expect(await tally(attempts)).toEqual(once);
  expect(await passkeys.list(principal)).toHaveLength(1);
});

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
