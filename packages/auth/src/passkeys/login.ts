import { isFailure } from '@svc/core';
import { transact } from '@svc/db';
import type { WriteOptions } from '../context.ts';
import { InvalidChallenge, InvalidCredentials } from '../failures.ts';
import { demandTenant } from '../identity-scope.ts';
import { finishSignIn, type SignIn, type SignInWishes } from '../sign-in.ts';
import { checkAssertion, noteUse, notAccepted, parseAssertion, refuse } from './assertions.ts';
import { newNonce, nonceCheck, type PasskeysContext } from './context.ts';
import { type PasskeyRequestOptions, requestOptions } from './options.ts';
import type { AssertionResponse } from './schemas.ts';

export interface PasskeyLogin extends SignInWishes {
  /** From `loginOptions`. */
  challenge: string;
  response: AssertionResponse;
}

// Nobody is named, so nothing depends on who asks: the authenticator knows which accounts it has.
export async function loginOptions(
  context: PasskeysContext,
  { within, origin }: WriteOptions = {},
): Promise<{ challenge: string; options: PasskeyRequestOptions }> {
  const { auth, party } = context;
  const { nonce, nonceHash } = newNonce(context);
  const { token } = await auth.challenges.create(within ?? auth.db, {
    purpose: 'passkey_login',
    userId: null,
    tenantId: demandTenant(auth, origin),
    data: { nonceHash },
  });
  const options = requestOptions(party, nonce, { allow: [], userVerification: 'required' });
  return { challenge: token, options };
}

// A passkey that only showed presence is one factor, and the account's second one may be the same
// passkey: so here it always has to verify its user, and is then two factors in one.
export async function login(
  context: PasskeysContext,
  input: PasskeyLogin,
  options: WriteOptions = {},
): Promise<SignIn> {
  const { auth } = context;
  const db = options.within ?? auth.db;
  const response = parseAssertion(input.response);
  // Used up whatever comes of it, so before the transaction that a refusal rolls back.
  const tenantId = demandTenant(auth, options.origin);
  const wanted = { purpose: 'passkey_login', token: input.challenge, tenantId } as const;
  const challenge = await auth.challenges.consume(db, wanted);
  if (challenge === null) throw new InvalidChallenge();
  const isChallenge = nonceCheck(challenge);
  const expected = { isChallenge, userVerification: 'required', userId: null, tenantId } as const;
  const checked = await checkAssertion(context, db, response, expected);
  if ('reason' in checked) throw await refuse(context, 'auth.login.failed', checked, options);
  const first = {
    userId: checked.passkey.user_id,
    credentialVersion: null,
    method: 'passkey',
    level: 2,
    previousToken: input.previousToken,
    refresh: input.refresh,
  } as const;
  const signIn = await transact(db, async (trx) => {
    if (!(await noteUse(context, trx, checked, { ...options, isAlone: true }))) return null;
    return finishSignIn(auth, trx, first, options.origin);
  }).catch(alike);
  if (signIn === null) throw notAccepted();
  return signIn;
}

/** Somebody who was disabled a moment ago is refused like everybody else. */
function alike(error: unknown): never {
  throw isFailure(error, InvalidCredentials) ? notAccepted() : error;
}
