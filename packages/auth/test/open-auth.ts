import { createCipher } from '@svc/core';
import { recordingLogger, testClock } from '@svc/core/testing';
import type { Db } from '@svc/db';
import { type AuthOptions, createAuth } from '../src/index.ts';
import { fastHashing, recordingOutbox, signedIn } from '../src/testing.ts';

export const password = 'seven quiet otters at dawn';
export const newPassword = 'eight loud badgers at dusk';

const cipher = createCipher({
  keys: [{ id: 'k1', secret: 'a secret that is made for tests only' }],
});

let people = 0;
/** An address that nobody else in this file has. */
export const someone = () => `person${++people}@example.com`;

/** Sign-in on a database of the test's, with a clock, a log and a mailbox in the test's hands. */
export function openAuth(db: Db, options: Partial<AuthOptions> = {}) {
  const clock = testClock();
  const outbox = recordingOutbox();
  const logger = recordingLogger();
  const auth = createAuth({
    db,
    sendMail: outbox.sendMail,
    publicUrl: 'https://app.example.com',
    appName: 'Projects',
    hashing: fastHashing,
    cipher,
    clock,
    logger,
    ...options,
  });
  const member = async (email = someone()) => {
    await auth.register({ email, password, name: 'Ada' });
    await auth.verify({ token: await outbox.nextToken('verify', email) });
    return email;
  };
  const session = async (known?: string) => {
    const email = known ?? (await member());
    const { token, user } = signedIn(await auth.login({ email, password }));
    const principal = await auth.authenticate(token);
    if (principal === null) throw new Error('signed in, and not known');
    return { email, token, user, principal };
  };
  return {
    auth,
    clock,
    outbox,
    logger,
    /** A verified user. */
    member,
    /** A verified user who has just signed in. */
    session,
  };
}

/** The failure's code that a promise rejects with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'no failure';
}

/** How many of these promises were fulfilled, and the codes of the others. */
export async function tally(promises: readonly Promise<unknown>[]) {
  const results = await Promise.allSettled(promises);
  const codes = results.flatMap((each) =>
    each.status === 'rejected' ? [(each.reason as { code: string }).code] : [],
  );
  return { fulfilled: results.length - codes.length, codes: [...new Set(codes)] };
}
