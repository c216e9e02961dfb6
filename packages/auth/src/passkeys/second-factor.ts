import { isFailure } from '@svc/core';
import { afterEnd, transact } from '@svc/db';
import { sql } from 'kysely';
import type { WantedChallenge } from '../challenges.ts';
import type { AuthContext, WriteOptions } from '../context.ts';
import { InvalidChallenge, InvalidCredentials } from '../failures.ts';
import { demandTenant } from '../identity-scope.ts';
import type { Origin } from '../origin.ts';
import { completeSignIn, type SignedIn, type SignInWishes } from '../sign-in.ts';
import { type ChallengeRow, tablesOf } from '../tables.ts';
import { checkAssertion, noteUse, notAccepted, parseAssertion, refuse } from './assertions.ts';
import { newNonce, nonceCheck, type PasskeysContext } from './context.ts';
import { UnknownPasskey } from './failures.ts';
import { type PasskeyRequestOptions, requestOptions } from './options.ts';
import { passkeysOf } from './queries.ts';
import type { AssertionResponse } from './schemas.ts';

export interface PasskeyAnswer extends SignInWishes {
  /** Of the sign-in that asked for the second factor. */
  challenge: string;
  response: AssertionResponse;
  /** Whether this browser is to be asked for no second factor for a while. @default false */
  trustDevice?: boolean | undefined;
}

// Who has this challenge has shown the first factor, so the account's credentials may be named.
export async function secondFactorOptions(
  context: PasskeysContext,
  input: { challenge: string },
  { within, origin }: WriteOptions = {},
): Promise<{ options: PasskeyRequestOptions }> {
  const { auth, party } = context;
  return transact(within ?? auth.db, async (trx) => {
    const challenge = await auth.challenges.find(trx, wantedOf(auth, input, origin));
    if (challenge === null || challenge.user_id === null) throw new InvalidChallenge();
    const allow = await passkeysOf(trx, challenge.user_id);
    if (allow.length === 0) throw new UnknownPasskey();
    const { nonce, nonceHash } = newNonce(context);
    await tablesOf(trx)
      .updateTable('svc_auth.challenges')
      // The former nonce, if there is one, stops working.
      .set({ data: sql<ChallengeRow['data']>`data || ${JSON.stringify({ nonceHash })}::jsonb` })
      .where('id', '=', challenge.id)
      .execute();
    const { userVerification } = party;
    return { options: requestOptions(party, nonce, { allow, userVerification }) };
  });
}

export async function answerChallenge(
  context: PasskeysContext,
  input: PasskeyAnswer,
  options: WriteOptions = {},
): Promise<SignedIn> {
  const { auth, party } = context;
  const db = options.within ?? auth.db;
  const response = parseAssertion(input.response);
  const wanted = wantedOf(auth, input, options.origin);
  const challenge = await auth.challenges.find(db, wanted);
  if (challenge === null || challenge.user_id === null) throw new InvalidChallenge();
  const checked = await checkAssertion(context, db, response, {
    isChallenge: nonceCheck(challenge),
    userVerification: party.userVerification,
    userId: challenge.user_id,
    tenantId: wanted.tenantId,
  });
  if ('reason' in checked) {
    await countFailure(context, challenge.id, options);
    const refused = { ...checked, userId: challenge.user_id };
    throw await refuse(context, 'auth.mfa.failed', refused, options);
  }
  const signedIn = await transact(db, async (trx) => {
    const consumed = await auth.challenges.consume(trx, wanted);
    if (consumed === null) throw new InvalidChallenge();
    if (!(await noteUse(context, trx, checked, options))) return null;
    const { previousToken, refresh, trustDevice } = input;
    const proof = { challenge: consumed, method: 'passkey' } as const;
    const second = { ...proof, previousToken, refresh, trustDevice };
    return completeSignIn(auth, trx, second, options.origin);
  }).catch((error: unknown) => {
    // The password was changed since it was checked: the first half counts no more.
    throw isFailure(error, InvalidCredentials) ? new InvalidChallenge() : error;
  });
  if (signedIn === null) throw notAccepted();
  return signedIn;
}

const wantedOf = (
  auth: AuthContext,
  { challenge: token }: { challenge: string },
  origin: Origin | undefined,
): WantedChallenge => ({ purpose: 'second_factor', token, tenantId: demandTenant(auth, origin) });

// Where a caller's transaction rolls back, the attempt has been made all the same.
async function countFailure(
  { auth }: PasskeysContext,
  challengeId: string,
  { within }: WriteOptions = {},
): Promise<void> {
  const count = () => auth.challenges.countFailure(auth.db, challengeId);
  if (within === undefined) await count();
  else afterEnd(within, count);
}
