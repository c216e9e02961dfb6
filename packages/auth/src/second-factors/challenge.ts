import { isFailure } from '@svc/core';
import { transact } from '@svc/db';
import type { AuthContext, WriteOptions } from '../context.ts';
import { InvalidChallenge, InvalidCode, InvalidCredentials } from '../failures.ts';
import { demandTenant } from '../identity-scope.ts';
import { completeSignIn, type SignedIn, type SignInWishes } from '../sign-in.ts';
import { type TypedCode, useCode } from './codes.ts';
import { refuse } from './refusals.ts';

export interface ChallengeAnswer extends TypedCode, SignInWishes {
  /** What the first factor was answered with. */
  challenge: string;
  /** Whether this browser is to be asked for no second factor for a while. @default false */
  trustDevice?: boolean | undefined;
}

/** How a session names what was typed. */
export const authMethodOf = { totp: 'otp', recovery_code: 'recovery_code' } as const;

export async function answerChallenge(
  context: AuthContext,
  input: ChallengeAnswer,
  options: WriteOptions = {},
): Promise<SignedIn> {
  const { within, origin } = options;
  const { challenge: token, method, code, previousToken, refresh, trustDevice } = input;
  const tenantId = demandTenant(context, origin);
  try {
    const signedIn = await transact(within ?? context.db, async (trx) => {
      const wanted = { purpose: 'second_factor', token, tenantId } as const;
      const challenge = await context.challenges.lock(trx, wanted);
      const userId = challenge?.user_id ?? null;
      if (challenge === null || userId === null) throw new InvalidChallenge();
      const fault = await useCode(context, trx, userId, { method, code }, origin);
      if (fault !== null) {
        const what = { type: 'auth.mfa.failed', reason: fault, method } as const;
        return refuse(context, trx, { ...what, userId, challengeId: challenge.id }, options);
      }
      if ((await context.challenges.consume(trx, wanted)) === null) throw new InvalidChallenge();
      const proof = { challenge, method: authMethodOf[method] };
      const second = { ...proof, previousToken, refresh, trustDevice };
      return completeSignIn(context, trx, second, origin);
    });
    if (signedIn === null) throw new InvalidCode();
    return signedIn;
  } catch (error) {
    // The password was changed since it was checked, or the account disabled: the first half counts no more.
    if (isFailure(error, InvalidCredentials)) throw new InvalidChallenge();
    throw error;
  }
}
