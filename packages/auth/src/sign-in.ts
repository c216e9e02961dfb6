import type { Trx } from '@svc/db';
import { record } from './acts.ts';
import type { AuthContext } from './context.ts';
import { InvalidChallenge, InvalidCredentials } from './failures.ts';
import { demandTenant } from './identity-scope.ts';
import type { Origin } from './origin.ts';
import { assertRefreshable } from './refresh/refresh.ts';
import { secondFactorsOf, type SecondFactor } from './second-factors/second-factors.ts';
import type { AuthMethod, RefreshGrant, Session } from './sessions.ts';
import type { ChallengeRow } from './tables.ts';
import { findUser, toUser, type User } from './users.ts';

/** Somebody is signed in, or half. */
export type SignIn = SignedIn | SecondFactorRequired;

export interface SignedIn {
  readonly status: 'signed_in';
  /** Given out here and never again. */
  readonly token: string;
  readonly user: User;
  readonly session: Session;
  /** The device cookie of a browser that its user is new in; `null` where it has one or keeps none. Given out once. */
  readonly deviceToken: string | null;
  /** `null` where the client asked for no refresh token. */
  readonly refresh: RefreshGrant | null;
}

/** What a client may say with whatever it signs in by. */
export interface SignInWishes {
  /** The session that the new one takes the place of. */
  previousToken?: string | undefined;
  /** Whether the session is to be kept by a refresh token. @default false */
  refresh?: boolean | undefined;
}

/** The first factor fits; the account has a second one. */
export interface SecondFactorRequired {
  readonly status: 'second_factor_required';
  /** To be sent with the second factor; works for 5 minutes. */
  readonly challenge: string;
  readonly methods: readonly SecondFactor[];
  readonly expiresAt: Date;
}

/** What somebody proved so far. */
export interface FirstFactor extends SignInWishes {
  userId: string;
  /** Of the password that was checked; `null` where none was. */
  credentialVersion: number | null;
  method: AuthMethod;
  /** 2 where the method is two factors in one: a passkey that verified its user. */
  level: 1 | 2;
}

/** The one way to a session: opens it, or asks for the second factor. Every kind of sign-in ends here. @throws {InvalidCredentials} @throws {ValidationFailed} for a refresh token, where there are none */
export async function finishSignIn(
  context: AuthContext,
  trx: Trx,
  first: FirstFactor,
  origin: Origin = {},
): Promise<SignIn> {
  const { userId, credentialVersion, method, level, previousToken, refresh } = first;
  assertRefreshable(context, refresh);
  const tenantId = demandTenant(context, origin);
  const methods = level === 2 ? [] : await secondFactorsOf(trx, userId);
  const isTrusted =
    methods.length > 0 && (await context.devices.isTrusted(trx, userId, origin.deviceToken));
  if (methods.length === 0 || isTrusted) {
    // Level 1 in a trusted device, too: what needs level 2 asks for the second factor there.
    const proof = { methods: [method], level, isTrusted };
    const opening = { userId, credentialVersion, previousToken, refresh, ...proof };
    return openSession(context, trx, opening, origin);
  }
  const data = { credentialVersion, method };
  const { token, expiresAt } = await context.challenges.create(trx, {
    purpose: 'second_factor',
    userId,
    tenantId,
    data,
  });
  await record(
    context,
    trx,
    { type: 'auth.login.challenged', userId, details: { method } },
    origin,
  );
  return { status: 'second_factor_required', challenge: token, methods, expiresAt };
}

/** Opens the session that a challenge was about, once its second factor fits. The caller has consumed the challenge. @throws {InvalidCredentials} @throws {ValidationFailed} for a refresh token, where there are none */
export function completeSignIn(
  context: AuthContext,
  trx: Trx,
  second: SignInWishes & {
    challenge: ChallengeRow;
    method: AuthMethod;
    /** Asks for no second factor in this browser for a while. */
    trustDevice?: boolean | undefined;
  },
  origin: Origin = {},
): Promise<SignedIn> {
  const { challenge, method, previousToken, refresh, trustDevice } = second;
  assertRefreshable(context, refresh);
  const { user_id: userId, data } = challenge;
  if (userId === null) throw new InvalidChallenge();
  const { credentialVersion, method: first } = data as unknown as Pick<
    FirstFactor,
    'credentialVersion' | 'method'
  >;
  const opening = { userId, credentialVersion, methods: [first, method], level: 2 as const };
  return openSession(context, trx, { ...opening, previousToken, refresh, trustDevice }, origin);
}

async function openSession(
  context: AuthContext,
  trx: Trx,
  opening: SignInWishes & {
    userId: string;
    credentialVersion: number | null;
    methods: readonly AuthMethod[];
    level: 1 | 2;
    /** Whether a second factor was spared. */
    isTrusted?: boolean;
    trustDevice?: boolean | undefined;
  },
  origin: Origin,
): Promise<SignedIn> {
  const { previousToken, isTrusted = false, trustDevice = false, ...rest } = opening;
  const { userId, refresh = false } = opening;
  const user = await findUser(trx, userId);
  // Whatever was shown: a user of one tenant gets no session in another.
  if (user.tenant_id !== demandTenant(context, origin)) throw new InvalidCredentials();
  const held = await context.sessions.open(trx, { ...rest, refresh, origin });
  const { session } = held;
  const deviceToken = await rememberDevice(context, trx, userId, origin, trustDevice);
  if (previousToken !== undefined) await replaceSession(context, trx, previousToken, origin);
  const details = {
    sessionId: session.id,
    method: opening.methods.join('+'),
    level: session.level,
    ...(isTrusted && { trustedDevice: true }),
  };
  await record(context, trx, { type: 'auth.login.succeeded', userId, details }, origin);
  return { status: 'signed_in', ...held, user: toUser(user), deviceToken };
}

async function rememberDevice(
  context: AuthContext,
  trx: Trx,
  userId: string,
  origin: Origin,
  trust: boolean,
): Promise<string | null> {
  const device = await context.devices.remember(trx, userId, origin, trust);
  if (device?.isTrusted === true) {
    const target = { type: 'device', id: device.id };
    await record(context, trx, { type: 'auth.device.trusted', userId, target }, origin);
  }
  return device?.newToken ?? null;
}

async function replaceSession(context: AuthContext, trx: Trx, token: string, origin: Origin) {
  const ended = await context.sessions.revoke(trx, token, 'replaced');
  if (ended === undefined) return;
  const details = { sessionId: ended.id, reason: 'replaced' };
  await record(
    context,
    trx,
    { type: 'auth.session.revoked', userId: ended.user_id, details },
    origin,
  );
}
