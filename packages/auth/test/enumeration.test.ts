import { databaseTest } from '@svc/db/testing';
import { expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { argon2id } from '../src/passwords/password-hasher.ts';
import { fastHashing } from '../src/testing.ts';
import { codeOf, openAuth, password, someone } from './open-auth.ts';

const test = databaseTest([authMigrations]);

// Time is what a test cannot rely on; the work that takes it can be counted.
function counting() {
  const work: string[] = [];
  const algorithm = {
    hash: (...args: Parameters<typeof argon2id.hash>) => (
      work.push('hash'),
      argon2id.hash(...args)
    ),
    verify: (...args: Parameters<typeof argon2id.verify>) => (
      work.push(`verify ${/m=\d+,t=\d+,p=\d+/.exec(args[0])}`),
      argon2id.verify(...args)
    ),
  };
  return { hashing: { ...fastHashing, algorithm }, take: () => work.splice(0) };
}

test('registering, signing in and asking for mail hash alike for known, unverified and unknown addresses', async ({
  db,
}) => {
  const { hashing, take } = counting();
  const { auth, member } = openAuth(db, { hashing });
  const [known, unverified] = [await member(), someone()];
  await auth.register({ email: unverified, password });
  await auth.stop();
  take();
  for (const act of [
    (email: string) => auth.register({ email, password }),
    (email: string) => codeOf(auth.login({ email, password: 'not the password at all' })),
    (email: string) => auth.forgotPassword({ email }),
    (email: string) => auth.resendVerification({ email }),
  ]) {
    const seen = [];
    for (const email of [known, unverified, someone()]) {
      const answer = await act(email);
      seen.push(JSON.stringify([answer ?? null, take()]));
    }
    await auth.stop();
    take();
    expect(new Set(seen)).toHaveLength(1);
  }
});

test('no answer waits for a mail', async ({ db }) => {
  let sending = 0;
  let finish = () => {};
  const held = new Promise<void>((resolve) => (finish = resolve));
  const { auth } = openAuth(db, { sendMail: async () => void (sending++, await held) });
  const email = someone();
  await auth.register({ email, password });
  await auth.forgotPassword({ email });
  await auth.resendVerification({ email });
  finish();
  await auth.stop();
  expect(sending).toBe(3);
});
