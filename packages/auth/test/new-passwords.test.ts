import { recordEvents } from '@svc/core/testing';
import { databaseTest } from '@svc/db/testing';
import { expect } from 'vitest';
import { type BreachList, acted } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { newPassword, openAuth, password, someone } from './open-auth.ts';

const test = databaseTest([authMigrations]);

const unreachable: BreachList = {
  isBreached: () => Promise.reject(new Error('The breach list answered 503.')),
};

async function faultOf(attempt: Promise<unknown>): Promise<string> {
  const error = (await attempt.then(
    () => ({ code: 'none' }),
    (thrown: unknown) => thrown,
  )) as { code: string; details?: { errors?: { code: string }[] } };
  return error.details?.errors?.[0]?.code ?? error.code;
}

test('registering and resetting refuse what the policy refuses', async ({ db }) => {
  const breaches: BreachList = {
    isBreached: async (text) => text === 'a passphrase of many',
  };
  const { auth, outbox, member } = openAuth(db, { passwords: { breaches } });
  const email = await member('grace.hopper@example.com');
  await auth.forgotPassword({ email });
  const token = await outbox.nextToken('reset_password', email);
  for (const [bad, code] of [
    ['too short', 'password_too_short'],
    ['password12345678', 'password_common'],
    ['grace.hopper rules', 'password_contains_context'],
    ['the Projects app', 'password_contains_context'],
    ['a passphrase of many', 'password_breached'],
  ] as const) {
    const registration = { email: 'grace.hopper@other.example.com', password: bad };
    expect(await faultOf(auth.register(registration))).toBe(code);
    expect(await faultOf(auth.resetPassword({ token, password: bad }))).toBe(code);
  }
  // The link was not used up by any of it.
  await auth.resetPassword({ token, password: newPassword });
  await auth.login({ email, password: newPassword });
});

test('a name counts as context: of the registration, and of the account at a reset', async ({
  db,
}) => {
  const { auth, outbox } = openAuth(db);
  const email = someone();
  const bad = 'Tutankhamun rules';
  const name = 'Tutankhamun';
  expect(await faultOf(auth.register({ email, password: bad, name }))).toBe(
    'password_contains_context',
  );
  await auth.register({ email, password, name });
  await auth.verify({ token: await outbox.nextToken('verify', email) });
  await auth.forgotPassword({ email });
  const token = await outbox.nextToken('reset_password', email);
  expect(await faultOf(auth.resetPassword({ token, password: bad }))).toBe(
    'password_contains_context',
  );
});

test('with the breach list down passwords are taken, and the events say unchecked', async ({
  db,
}) => {
  const { auth, outbox, logger } = openAuth(db, { passwords: { breaches: unreachable } });
  using seen = recordEvents(acted);
  const email = someone();
  await auth.register({ email, password });
  await auth.verify({ token: await outbox.nextToken('verify', email) });
  await auth.forgotPassword({ email });
  const token = await outbox.nextToken('reset_password', email);
  await auth.resetPassword({ token, password: newPassword });
  const unchecked = seen.events.filter(
    ({ payload }) => payload.details['breachUnchecked'] === true,
  );
  expect(unchecked.map(({ payload }) => payload.type)).toEqual([
    'auth.user.registered',
    'auth.password.reset',
  ]);
  expect(logger.lines.map(({ level }) => level)).toEqual(['warn', 'warn']);
});

test('with the breach list up the events do not say unchecked', async ({ db }) => {
  const { auth } = openAuth(db, { passwords: { breaches: { isBreached: async () => false } } });
  using seen = recordEvents(acted);
  await auth.register({ email: someone(), password });
  expect(seen.events.map(({ payload }) => payload.details)).toEqual([{}]);
});

test('with the breach list down an app that wants certainty takes nothing, and a link stays usable', async ({
  db,
}) => {
  const list = { isBreached: unreachable.isBreached };
  const { auth, outbox, member } = openAuth(db, {
    passwords: {
      breaches: { isBreached: (text) => list.isBreached(text) },
      whenBreachListUnreachable: 'refuse',
    },
  });
  expect(await faultOf(auth.register({ email: someone(), password }))).toBe(
    'auth.breach_check_unavailable',
  );
  list.isBreached = async () => false;
  const email = await member();
  await auth.forgotPassword({ email });
  const token = await outbox.nextToken('reset_password', email);
  list.isBreached = unreachable.isBreached;
  expect(await faultOf(auth.resetPassword({ token, password: newPassword }))).toBe(
    'auth.breach_check_unavailable',
  );
  list.isBreached = async () => false;
  await auth.resetPassword({ token, password: newPassword });
});

test('known, unverified and unknown addresses are asked for alike, and made-up links not at all', async ({
  db,
}) => {
  const asked: string[] = [];
  const breaches: BreachList = { isBreached: async (text) => (asked.push(text), false) };
  const { auth, member } = openAuth(db, { passwords: { breaches } });
  const [known, unverified] = [await member(), someone()];
  await auth.register({ email: unverified, password });
  for (const email of [known, unverified, someone()]) {
    asked.length = 0;
    await auth.register({ email, password: newPassword });
    expect(asked).toEqual([newPassword]);
  }
  asked.length = 0;
  for (const token of ['junk', 'A'.repeat(43)]) {
    expect(await faultOf(auth.resetPassword({ token, password: newPassword }))).toBe(
      'auth.invalid_token',
    );
  }
  expect(asked).toEqual([]);
});
