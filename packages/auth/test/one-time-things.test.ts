import type { Db } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { signedIn } from '../src/testing.ts';
import { codeOf, newPassword, openAuth, password, someone } from './open-auth.ts';
import { openMfa } from './open-mfa.ts';
import { corp, openOAuth } from './open-oauth.ts';
import { openPasskeys } from './open-passkeys.ts';
import { type Issuer, startIssuer } from './oauth-servers.ts';

// On a real PostgreSQL only: PGlite has one connection and cannot show a race.
const test = databaseTest([authMigrations]);
const fifty = Array.from({ length: 50 }, (_, index) => index);
let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer[Symbol.asyncDispose]());

/** What works once, in the hands of fifty. */
interface OneTimeThing {
  readonly refusal: string;
  /** One of the fifty uses. */
  use(index: number): Promise<unknown>;
  /** What must hold for the one that won, and afterwards. */
  check?(winner: { index: number; value: unknown }): Promise<unknown>;
}

const invalidToken = 'auth.invalid_token';
const invalidCode = 'auth.invalid_code';
const invalidChallenge = 'auth.invalid_challenge';

async function verificationToken(db: Db): Promise<OneTimeThing> {
  const { auth, outbox } = openAuth(db);
  const email = someone();
  await auth.register({ email, password });
  const token = await outbox.nextToken('verify', email);
  return {
    refusal: invalidToken,
    use: () => auth.verify({ token }),
    check: () => auth.login({ email, password }),
  };
}

async function resetToken(db: Db): Promise<OneTimeThing> {
  const { auth, outbox, member } = openAuth(db);
  const email = await member();
  await auth.forgotPassword({ email });
  const token = await outbox.nextToken('reset_password', email);
  const chosen = (index: number) => `${newPassword} ${index}`;
  return {
    refusal: invalidToken,
    use: (index) => auth.resetPassword({ token, password: chosen(index) }),
    check: ({ index }) => auth.login({ email, password: chosen(index) }),
  };
}

async function emailChangeToken(db: Db): Promise<OneTimeThing> {
  const { auth, outbox, session } = openAuth(db);
  const [{ principal }, email] = [await session(), someone()];
  await auth.account.requestEmailChange(principal, { email });
  const token = await outbox.nextToken('confirm_email', email);
  return {
    refusal: invalidToken,
    use: () => auth.account.confirmEmailChange({ token }),
    check: () => auth.login({ email, password }),
  };
}

async function recoveryCode(db: Db): Promise<OneTimeThing> {
  const { auth, enrolled, challenge } = openMfa(db);
  const { email, recoveryCodes, principal } = await enrolled();
  const challenges = await Promise.all(fifty.map(() => challenge(email)));
  const shown = { method: 'recovery_code', code: recoveryCodes[0] as string } as const;
  return {
    refusal: invalidCode,
    // In sign-ins of their own, and in a session.
    use: (index) =>
      index % 5 === 0
        ? auth.mfa.stepUp(principal, shown)
        : auth.mfa.answerChallenge({ challenge: challenges[index] as string, ...shown }),
    check: async () => expect((await auth.mfa.factors(principal)).recoveryCodesLeft).toBe(9),
  };
}

async function totp(db: Db): Promise<OneTimeThing> {
  const { auth, enrolled, challenge, nextCode, principalOf } = openMfa(db);
  const { email, secret, token } = await enrolled();
  const challenges = await Promise.all(fifty.map(() => challenge(email)));
  const shown = { method: 'totp', code: await nextCode(secret) } as const;
  const principal = await principalOf(token);
  return {
    refusal: invalidCode,
    use: (index) =>
      index % 5 === 0
        ? auth.mfa.stepUp(principal, shown)
        : auth.mfa.answerChallenge({ challenge: challenges[index] as string, ...shown }),
    // To be refused with a code that was right once locks nobody out.
    check: async () =>
      auth.mfa.answerChallenge({
        challenge: await challenge(email),
        method: 'totp',
        code: await nextCode(secret),
      }),
  };
}

async function secondFactorChallenge(db: Db): Promise<OneTimeThing> {
  const { auth, enrolled, challenge: begin, nextCode } = openMfa(db);
  const { email, secret, recoveryCodes } = await enrolled();
  const challenge = await begin(email);
  const code = await nextCode(secret);
  return {
    refusal: invalidChallenge,
    // All of them right.
    use: (index) => {
      const recovery = recoveryCodes[index];
      return recovery === undefined
        ? auth.mfa.answerChallenge({ challenge, method: 'totp', code })
        : auth.mfa.answerChallenge({ challenge, method: 'recovery_code', code: recovery });
    },
  };
}

async function oauthState(db: Db): Promise<OneTimeThing> {
  const { auth, oauth, goThere } = openOAuth(db, [
    corp(issuer, { trustedDomains: ['example.com'] }),
  ]);
  issuer.person = { sub: someone(), email: someone(), email_verified: true };
  const returned = await goThere();
  return {
    refusal: 'auth.oauth_failed',
    use: () => oauth.complete(returned),
    async check({ value }) {
      const { token } = signedIn(value as Parameters<typeof signedIn>[0]);
      const principal = await auth.authenticate(token);
      expect(await auth.sessions.list(principal as NonNullable<typeof principal>)).toHaveLength(1);
    },
  };
}

// Passkeys that do not count, so that nothing but the challenge decides.
const uncounted = { counts: false };

async function passkeyRegistration(db: Db): Promise<OneTimeThing> {
  const { passkeys, session, device } = openPasskeys(db);
  const { principal } = await session();
  const { challenge, options } = await passkeys.registrationOptions(principal);
  const responses = fifty.map(() => device().create(options));
  return {
    refusal: invalidChallenge,
    use: (index) =>
      passkeys.register(principal, { challenge, response: responses[index] as never }),
    check: async () => expect(await passkeys.list(principal)).toHaveLength(1),
  };
}

async function passkeyLogin(db: Db): Promise<OneTimeThing> {
  const { passkeys, owner } = openPasskeys(db);
  const { authenticator } = await owner(uncounted);
  const { challenge, options } = await passkeys.loginOptions();
  const response = authenticator.get(options);
  return { refusal: invalidChallenge, use: () => passkeys.login({ challenge, response }) };
}

async function passkeySecondFactor(db: Db): Promise<OneTimeThing> {
  const { passkeys, owner, halfSignedIn } = openPasskeys(db);
  const { authenticator, email } = await owner(uncounted);
  const { challenge } = await halfSignedIn(email);
  const { options } = await passkeys.secondFactorOptions({ challenge });
  const response = authenticator.get(options);
  return {
    refusal: invalidChallenge,
    use: () => passkeys.answerChallenge({ challenge, response }),
  };
}

async function passkeyStepUp(db: Db): Promise<OneTimeThing> {
  const { passkeys, owner } = openPasskeys(db);
  const { authenticator, principal } = await owner(uncounted);
  const { challenge, options } = await passkeys.stepUpOptions(principal);
  const response = authenticator.get(options);
  return {
    refusal: invalidChallenge,
    use: () => passkeys.stepUp(principal, { challenge, response }),
  };
}

test.for([
  ['verification token', verificationToken],
  ['reset token', resetToken],
  ['token for a change of address', emailChangeToken],
  ['recovery code', recoveryCode],
  ['code of an authenticator app', totp],
  ['challenge of a sign-in that asks for the second factor', secondFactorChallenge],
  ['state of a sign-in at a provider', oauthState],
  ['challenge to add a passkey', passkeyRegistration],
  ['challenge to sign in with a passkey', passkeyLogin],
  ['challenge to show a passkey as the second factor', passkeySecondFactor],
  ['challenge to step up with a passkey', passkeyStepUp],
] as const)('of 50 who use one %s at once, one succeeds', async ([, open], { db }) => {
  const { refusal, use, check } = await open(db);
  const uses = fifty.map(use);
  const results = await Promise.allSettled(uses);
  const winners = results.flatMap((each, index) =>
    each.status === 'fulfilled' ? [{ index, value: each.value as unknown }] : [],
  );
  expect(winners).toHaveLength(1);
  const refusals = await Promise.all(uses.map(codeOf));
  expect(new Set(refusals)).toEqual(new Set(['no failure', refusal]));
  await check?.(winners[0] as { index: number; value: unknown });
});
