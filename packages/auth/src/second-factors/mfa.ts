import type { AuthContext, WriteOptions } from '../context.ts';
import { type Principal, sessionOf } from '../principal.ts';
import type { SignedIn } from '../sign-in.ts';
import { answerChallenge, type ChallengeAnswer } from './challenge.ts';
import { makeRecoveryCodes } from './recovery-codes.ts';
import { countFactors, type FactorCounts } from './second-factors.ts';
import { type StepUp, type SteppedUp, stepUp } from './step-up.ts';
import {
  confirmTotp,
  enrolTotp,
  removeTotp,
  type TotpConfirmation,
  type TotpConfirmed,
  type TotpEnrolment,
} from './totp.ts';

/**
 * Second factors, of who comes in a session. Who has one changes them in a session of level 2 only; that it was shown a
 * moment ago is for the routes to see to.
 *
 * @throws {AccessDenied} for an API key @throws {InsufficientAuthentication}
 */
export interface Mfa {
  /** What the user has set up. */
  factors(principal: Principal): Promise<FactorCounts>;
  /** A new secret for an authenticator app, in place of one that waits; counts once it is confirmed, within 15 minutes. @throws {AccessDenied} for an API key */
  enrolTotp(principal: Principal, options?: WriteOptions): Promise<TotpEnrolment>;
  /** Puts the waiting secret in force, in place of a former one, and raises the current session to level 2. @throws {InvalidCode} @throws {Unauthenticated} */
  confirmTotp(
    principal: Principal,
    confirmation: TotpConfirmation,
    options?: WriteOptions,
  ): Promise<TotpConfirmed>;
  /** Removes the authenticator app. With the last factor, recovery codes and trust in devices go, and sessions fall back to level 1. @throws {TotpNotFound} */
  removeTotp(
    principal: Principal,
    input?: { endOtherSessions?: boolean | undefined },
    options?: WriteOptions,
  ): Promise<void>;
  /** Ten codes, each of which stands in for the second factor once; the former ones are void. @throws {MfaNotEnabled} */
  makeRecoveryCodes(principal: Principal, options?: WriteOptions): Promise<string[]>;
  /** Opens the session that a login asked the second factor for. A wrong, a used and a locked code are answered alike. @throws {InvalidCode} @throws {InvalidChallenge} */
  answerChallenge(input: ChallengeAnswer, options?: WriteOptions): Promise<SignedIn>;
  /** Proves anew who is there, and raises the current session, under a new token; no other. @throws {InvalidCode} @throws {InvalidCredentials} for a password @throws {Unauthenticated} @throws {AuthBusy} */
  stepUp(principal: Principal, shown: StepUp, options?: WriteOptions): Promise<SteppedUp>;
}

export function createMfa(context: AuthContext): Mfa {
  return {
    async factors(principal) {
      sessionOf(principal);
      return countFactors(context.db, principal.userId);
    },
    enrolTotp: (principal, options) => enrolTotp(context, principal, options),
    confirmTotp: (principal, confirmation, options) =>
      confirmTotp(context, principal, confirmation, options),
    removeTotp: (principal, input, options) => removeTotp(context, principal, input, options),
    makeRecoveryCodes: (principal, options) => makeRecoveryCodes(context, principal, options),
    answerChallenge: (input, options) => answerChallenge(context, input, options),
    stepUp: (principal, shown, options) => stepUp(context, principal, shown, options),
  };
}
