import type { Failure } from '@svc/core';
import type { Db, Trx } from '@svc/db';
import { type AuthAct, record } from '../acts.ts';
import type { AuthContext, WriteOptions } from '../context.ts';
import { AuthLocked, InvalidCredentials } from '../failures.ts';
import type { Origin } from '../origin.ts';
import { codesOf, passwordsOf } from '../second-factors/refusals.ts';
import type { UserRow } from '../tables.ts';
import { clientNetwork } from './client-network.ts';
import { forgetDevice } from './own-devices.ts';
import { type Lock, needsReset, type ThrottleKey } from './throttles.ts';

/** Somebody who shows a password, and what their failure would be counted of. */
export interface PasswordAttempt {
  /** `null` where nobody has the address. */
  readonly user: Pick<UserRow, 'id'> | null;
  /** Until when even the right password is refused. */
  readonly lockedUntil: Date | null;
  readonly counted: readonly ThrottleKey[];
  /** What a success forgets. */
  readonly cleared: readonly ThrottleKey[];
}

/**
 * To be called after the hash was checked and right before judging, so that few guesses are under way when a lock begins.
 * In a browser that the user is known in, only that browser's failures count: a stranger cannot lock the owner out of it.
 */
export async function beginAttempt(
  context: AuthContext,
  { email, user }: { email: string; user: PasswordAttempt['user'] },
  { within, origin = {} }: WriteOptions = {},
): Promise<PasswordAttempt> {
  const { throttles, devices } = context;
  const db = within ?? context.db;
  const device = await devices.find(db, origin.deviceToken);
  if (device !== null && device.user_id === user?.id) {
    const counted: readonly ThrottleKey[] = [{ kind: 'device', value: device.id }];
    const lockedUntil = await throttles.lockedUntil(db, counted);
    return { user, lockedUntil, counted, cleared: counted };
  }
  const { own, shared } = keysOf(email, origin);
  const counted = [...own, ...shared];
  const lockedUntil = await throttles.lockedUntil(db, counted);
  return { user, lockedUntil, counted, cleared: own };
}

/**
 * Until when a client address is locked that is no browser somebody is known in: its tries are worth no hash, so one
 * client cannot fill the queue of all. It tells that client of itself only, and of no account.
 */
export async function shutOutUntil(
  context: AuthContext,
  { within, origin = {} }: WriteOptions = {},
): Promise<Date | null> {
  const network = clientNetwork(origin.address);
  if (network === null) return null;
  const db = within ?? context.db;
  const counted = [{ kind: 'address', value: network }] as const;
  const until = await context.throttles.lockedUntil(db, counted);
  if (until === null) return null;
  return (await context.devices.find(db, origin.deviceToken)) === null ? until : null;
}

/**
 * Records a refusal and, unless it is refused for being locked, counts it: when the caller's transaction is over, so that
 * its rollback takes neither back. Answers what to throw.
 */
export async function refuseAttempt(
  context: AuthContext,
  { user, lockedUntil, counted }: PasswordAttempt,
  act: AuthAct,
  { within, origin }: WriteOptions = {},
): Promise<Failure> {
  const keys = lockedUntil === null ? counted : [];
  await context.throttles.countFailure(context.db, keys, { within }, async (trx, locks) => {
    await record(context, trx, act, origin);
    for (const lock of locks) await recordLock(context, trx, lock, act, origin);
    // A cookie that failed so often is in the wrong hands: from here on it names nobody.
    const isWorthless = locks.some((lock) => lock.kind === 'device' && needsReset(lock.until));
    if (isWorthless && user !== null && counted[0] !== undefined)
      await forgetDevice(context, trx, user.id, counted[0].value, origin);
    // Known and unknown alike: queued in any case, and for nobody where the account cannot be used.
    if (locks.some((lock) => lock.kind === 'account' && lock.isNews)) {
      const userId = user?.id ?? context.newId();
      const request = { template: 'security_notice', userId, change: 'account_locked' } as const;
      await context.queueMail(request, { within: trx });
    }
  });
  return lockedUntil === null ? new InvalidCredentials() : refusalWhileLocked(context, lockedUntil);
}

/** What is thrown at those who are locked: nothing that tells, unless the app wants it told. */
export function refusalWhileLocked(context: AuthContext, lockedUntil: Date): Failure {
  const { answer, maxWaitMs } = context.lockout;
  if (answer === 'same') return new InvalidCredentials();
  const leftMs = lockedUntil.getTime() - context.clock.now().getTime();
  const waitMs = needsReset(lockedUntil) ? maxWaitMs : leftMs;
  return new AuthLocked({ retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) });
}

/** Forgets the failures of an account: a reset by mail proved the owner. Codes that were guessed stay counted below the cap. */
export async function forgetFailures(
  context: AuthContext,
  trx: Db,
  user: Pick<UserRow, 'id' | 'email_normalized'>,
  origin: Origin = {},
): Promise<void> {
  await context.throttles.clear(trx, keysOf(user.email_normalized, origin).own);
  // Not cleared: whoever reads the owner's mail could reset again and again, and guess codes in between.
  await context.throttles.liftCaps(trx, [codesOf(user.id), passwordsOf(user.id)]);
}

// By address and not by user: an account that does not exist locks like one that does.
function keysOf(email: string, origin: Origin): { own: ThrottleKey[]; shared: ThrottleKey[] } {
  const account: ThrottleKey = { kind: 'account', value: email };
  const network = clientNetwork(origin.address);
  if (network === null) return { own: [account], shared: [] };
  return {
    own: [account, { kind: 'pair', value: `${network} ${email}` }],
    shared: [{ kind: 'address', value: network }],
  };
}

function recordLock(
  context: AuthContext,
  trx: Trx,
  { kind, failures, until }: Lock,
  { userId, tenantId }: AuthAct,
  origin: Origin | undefined,
): Promise<void> {
  const lockedUntil = needsReset(until) ? null : until.toISOString();
  return record(
    context,
    trx,
    {
      type: 'auth.login.locked',
      outcome: 'denied',
      // Where a client address is locked, it is about nobody's account.
      userId: kind === 'address' ? null : userId,
      ...(tenantId !== undefined && { tenantId }),
      actor: { type: 'anonymous', id: null },
      details: { counter: kind, failures, lockedUntil },
    },
    origin,
  );
}
