import { databaseTest } from '@svc/db/testing';
import { expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { signedIn } from '../src/testing.ts';
import { newPassword, openAuth, password, someone, tally } from './open-auth.ts';

// On a real PostgreSQL only: PGlite has one connection and cannot show a race.
const test = databaseTest([authMigrations]);
const fifty = <Result>(act: (index: number) => Promise<Result>) =>
  Array.from({ length: 50 }, (_, index) => act(index));

test('50 registrations of one address at once make one user with one live token', async ({
  db,
}) => {
  const { auth, outbox } = openAuth(db);
  const email = someone();
  expect(await tally(fifty(() => auth.register({ email, password })))).toEqual({
    fulfilled: 50,
    codes: [],
  });
  await auth.stop();
  const tokens = outbox.mails.map(
    (mail) => new URL(mail.data.link).searchParams.get('token') as string,
  );
  expect(new Set(tokens)).toHaveLength(50);
  expect(await tally(tokens.map((token) => auth.verify({ token })))).toEqual({
    fulfilled: 1,
    codes: ['auth.invalid_token'],
  });
});

test('no login with the old password survives a reset, in whichever order they meet', async ({
  db,
}) => {
  const { auth, outbox, member } = openAuth(db);
  for (let round = 0; round < 10; round += 1) {
    const email = await member();
    await auth.forgotPassword({ email });
    const token = await outbox.nextToken('reset_password', email);
    const logins = Promise.allSettled(
      Array.from({ length: 8 }, () => auth.login({ email, password })),
    );
    await auth.resetPassword({ token, password: newPassword });
    for (const each of await logins) {
      if (each.status === 'fulfilled')
        expect(await auth.authenticate(signedIn(each.value).token)).toBeNull();
      else expect(each.reason).toMatchObject({ code: 'auth.invalid_credentials' });
    }
  }
});

test('verifying and registering anew at once ends in one of the two orders, never in an error', async ({
  db,
}) => {
  const { auth, outbox } = openAuth(db);
  for (let round = 0; round < 10; round += 1) {
    const email = someone();
    await auth.register({ email, password });
    const token = await outbox.nextToken('verify', email);
    const [verified, again] = await Promise.allSettled([
      auth.verify({ token }),
      auth.register({ email, password: newPassword }),
    ]);
    expect(again).toMatchObject({ status: 'fulfilled' });
    if (verified.status === 'rejected') {
      expect(verified.reason).toMatchObject({ code: 'auth.invalid_token' });
      await auth.verify({ token: await outbox.nextToken('verify', email) });
    }
    if (verified.status === 'fulfilled') await auth.login({ email, password });
    else
      await auth.resetPassword({
        token: await outbox.nextToken('reset_password', email),
        password,
      });
  }
});

test('50 logins at once all succeed, also while their hash is exchanged', async ({ db }) => {
  const { member } = openAuth(db);
  const email = await member();
  const { auth, logger } = openAuth(db, { hashing: { memoryKib: 128, iterations: 1 } });
  expect(await tally(fifty(() => auth.login({ email, password })))).toEqual({
    fulfilled: 50,
    codes: [],
  });
  await auth.stop();
  expect(logger.lines).toEqual([]);
});
