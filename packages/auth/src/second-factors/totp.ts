import { transact, type Trx } from '@svc/db';
import { record } from '../acts.ts';
import type { AuthContext, WriteOptions } from '../context.ts';
import { InvalidCode, TotpNotFound } from '../failures.ts';
import { type Principal, sessionOf } from '../principal.ts';
import { queueNotice } from '../security-notice.ts';
import { tablesOf, type TotpFactorRow } from '../tables.ts';
import { lockUser } from '../users.ts';
import { assertStrong } from './assert-strong.ts';
import { type CodeFault, codesOf, isLocked, refuse } from './refusals.ts';
import { disableMfaIfLast, enableMfa, endTrust } from './enabling.ts';
import type { SteppedUp } from './step-up.ts';
import { endOtherSessions, raiseSession } from './raised-session.ts';
import { createTotpSecret, describeTotp, stepOfCode } from './totp-codes.ts';

/** What an authenticator app needs. Given out here and never again. */
export interface TotpEnrolment {
  /** 160 bits in base32, to be typed where nothing can be scanned. */
  readonly secret: string;
  /** `otpauth://totp/…` */
  readonly uri: string;
  /** A QR code of the URI: an SVG document without scripts and styles. */
  readonly qrSvg: string;
}

export interface TotpConfirmation {
  /** What the app shows. */
  code: string;
  /** Whether the user's other sessions end (ASVS 5.0 7.4.3). @default false, they stay at their level */
  endOtherSessions?: boolean | undefined;
}

export interface TotpConfirmed extends SteppedUp {
  /** With the first second factor; given out here and never again. */
  readonly recoveryCodes: readonly string[] | null;
}

/** How long a secret waits for its first code (ASVS 5.0 6.4.1). */
const enrolmentTtlMs = 15 * 60_000;

export async function enrolTotp(
  context: AuthContext,
  principal: Principal,
  { within }: WriteOptions = {},
): Promise<TotpEnrolment> {
  const session = sessionOf(principal);
  const { userId, user } = principal;
  const secret = createTotpSecret(context.random);
  const pending = {
    id: context.newId(),
    secret_sealed: context.cipher().seal(secret, sealContext(userId)),
    created_at: context.clock.now(),
  };
  await transact(within ?? context.db, async (trx) => {
    assertStrong(await lockUser(trx, userId), session);
    await tablesOf(trx)
      .insertInto('svc_auth.totp_factors')
      .values({ ...pending, user_id: userId, last_step: null, confirmed_at: null })
      .onConflict((conflict) =>
        conflict.column('user_id').where('confirmed_at', 'is', null).doUpdateSet(pending),
      )
      .execute();
  });
  return { secret, ...describeTotp({ secret, issuer: context.appName, account: user.email }) };
}

export async function confirmTotp(
  context: AuthContext,
  principal: Principal,
  { code, endOtherSessions: endOthers = false }: TotpConfirmation,
  options: WriteOptions = {},
): Promise<TotpConfirmed> {
  const { within, origin } = options;
  const session = sessionOf(principal);
  const { userId, user } = principal;
  const confirmed = await transact(within ?? context.db, async (trx) => {
    assertStrong(await lockUser(trx, userId), session);
    const fault = await confirmPending(context, trx, userId, code);
    if (fault !== null) {
      const what = { type: 'auth.mfa.failed', reason: fault, method: 'totp' } as const;
      return refuse(context, trx, { ...what, userId }, options);
    }
    const recoveryCodes = await enableMfa(context, trx, userId, origin);
    const raised = await raiseSession(context, trx, principal, { method: 'otp', level: 2 });
    const sessionsEnded = endOthers ? await endOtherSessions(context, trx, principal) : 0;
    const details = { sessionsEnded };
    await record(context, trx, { type: 'auth.mfa.totp_enrolled', userId, details }, origin);
    await queueNotice(context, trx, user, 'mfa_enabled');
    return { recoveryCodes, ...raised };
  });
  if (confirmed === null) throw new InvalidCode();
  return confirmed;
}

/** Deletes secrets that were not confirmed in time and answers how many. */
export async function purgeEnrolments({ db, clock }: AuthContext): Promise<number> {
  const result = await tablesOf(db)
    .deleteFrom('svc_auth.totp_factors')
    .where('confirmed_at', 'is', null)
    .where('created_at', '<', new Date(clock.now().getTime() - enrolmentTtlMs))
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}

// Guesses are counted here, too: a session that somebody else has must not become one of level 2 by guessing
// at the secret that its user is about to confirm.
async function confirmPending(
  context: AuthContext,
  trx: Trx,
  userId: string,
  code: string,
): Promise<CodeFault | null> {
  if (await isLocked(context, trx, codesOf(userId))) return 'locked';
  const now = context.clock.now();
  const factors = tablesOf(trx);
  const pending = await factors
    .selectFrom('svc_auth.totp_factors')
    .selectAll()
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is', null)
    .where('created_at', '>', new Date(now.getTime() - enrolmentTtlMs))
    .forUpdate()
    .executeTakeFirst();
  if (pending === undefined) return 'no_factor';
  const step = stepOfCode(openSecret(context, pending), clean(code), { now });
  if (step === null) return 'wrong_code';
  // A new app takes the place of the former one.
  const former = await factors
    .deleteFrom('svc_auth.totp_factors')
    .where('user_id', '=', userId)
    .where('id', '!=', pending.id)
    .executeTakeFirst();
  if (former.numDeletedRows > 0n) await endTrust(trx, userId);
  await factors
    .updateTable('svc_auth.totp_factors')
    .set({ confirmed_at: now, last_step: BigInt(step) })
    .where('id', '=', pending.id)
    .execute();
  return null;
}

/** Uses a code up; of any number at once, one gets `null` and the others a fault. */
export async function useTotpCode(
  context: AuthContext,
  trx: Trx,
  userId: string,
  typed: string,
): Promise<CodeFault | null> {
  const factor = await tablesOf(trx)
    .selectFrom('svc_auth.totp_factors')
    .selectAll()
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is not', null)
    .executeTakeFirst();
  if (factor === undefined) return 'no_factor';
  const secret = openSecret(context, factor);
  const now = context.clock.now();
  const code = clean(typed);
  const after = factor.last_step === null ? null : Number(factor.last_step);
  const step = stepOfCode(secret, code, { now, after });
  if (step === null) return stepOfCode(secret, code, { now }) === null ? 'wrong_code' : 'replayed';
  return (await takeStep(context, trx, factor, { step, secret })) ? null : 'replayed';
}

// One statement: who waits for the row's lock finds the step taken when it gets it (RFC 6238 5.2, ASVS 5.0 6.5.1).
async function takeStep(
  context: AuthContext,
  trx: Trx,
  factor: TotpFactorRow,
  { step, secret }: { step: number; secret: string },
): Promise<boolean> {
  const cipher = context.cipher();
  const result = await tablesOf(trx)
    .updateTable('svc_auth.totp_factors')
    .set({
      last_step: BigInt(step),
      ...(cipher.isOutdated(factor.secret_sealed) && {
        secret_sealed: cipher.seal(secret, sealContext(factor.user_id)),
      }),
    })
    .where('id', '=', factor.id)
    .where((where) =>
      where.or([where('last_step', 'is', null), where('last_step', '<', BigInt(step))]),
    )
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function removeTotp(
  context: AuthContext,
  principal: Principal,
  { endOtherSessions: endOthers = false }: { endOtherSessions?: boolean | undefined } = {},
  { within, origin }: WriteOptions = {},
): Promise<void> {
  const session = sessionOf(principal);
  const { userId, user } = principal;
  await transact(within ?? context.db, async (trx) => {
    assertStrong(await lockUser(trx, userId), session);
    const removed = await tablesOf(trx)
      .deleteFrom('svc_auth.totp_factors')
      .where('user_id', '=', userId)
      .returning('confirmed_at')
      .execute();
    if (removed.length === 0) throw new TotpNotFound();
    if (removed.every(({ confirmed_at: confirmedAt }) => confirmedAt === null)) return;
    const last = await disableMfaIfLast(trx, userId);
    const sessionsEnded = endOthers ? await endOtherSessions(context, trx, principal) : 0;
    const details = { last, sessionsEnded };
    await record(context, trx, { type: 'auth.mfa.totp_removed', userId, details }, origin);
    await queueNotice(context, trx, user, 'mfa_disabled');
  });
}

const sealContext = (userId: string) => `totp:${userId}`;

const openSecret = (context: AuthContext, factor: TotpFactorRow) =>
  context.cipher().open(factor.secret_sealed, sealContext(factor.user_id));

// Apps show two groups.
const clean = (code: string) => code.replace(/\s/g, '');
