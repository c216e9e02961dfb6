import { defineEvent } from '@svc/core';

/** Where a password was taken without asking the list of breached ones, which could not be reached. */
export interface BreachMark {
  breachUnchecked?: true;
}

/** Somebody registered an address that has no verified account. */
export const registered = defineEvent<{ userId: string } & BreachMark>('svc.auth.registered');

/** The owner of an address proved to be that. */
export const verified = defineEvent<{ userId: string }>('svc.auth.verified');

export const loggedIn = defineEvent<{ userId: string; sessionId: string }>('svc.auth.logged_in');

/** The reason is for operators; the person who tries to sign in is never told. */
export type LoginFailedReason = 'unknown_user' | 'wrong_password' | 'unverified' | 'disabled';

export const loginFailed = defineEvent<{
  /** `null` where nobody has the address. */
  userId: string | null;
  reason: LoginFailedReason;
  address: string | null;
}>('svc.auth.login_failed');

export const loggedOut = defineEvent<{ userId: string; sessionId: string }>('svc.auth.logged_out');

/** A password was set by a mailed link; all sessions of the user ended. */
export const passwordReset = defineEvent<{ userId: string; sessionsEnded: number } & BreachMark>(
  'svc.auth.password_reset',
);
