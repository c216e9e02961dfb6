import { transact } from '@svc/db';
import { record } from '../acts.ts';
import type { WriteOptions } from '../context.ts';
import { type Principal, sessionOf } from '../principal.ts';
import { raiseSession } from '../second-factors/raised-session.ts';
import type { SteppedUp } from '../second-factors/step-up.ts';
import type { Session } from '../sessions.ts';
import { checkAssertion, noteUse, notAccepted, parseAssertion, refuse } from './assertions.ts';
import { consumeOwn, newNonce, nonceCheck, type PasskeysContext } from './context.ts';
import { UnknownPasskey } from './failures.ts';
import { type PasskeyRequestOptions, requestOptions } from './options.ts';
import { passkeysOf } from './queries.ts';
import type { AssertionResponse } from './schemas.ts';

export async function stepUpOptions(
  context: PasskeysContext,
  principal: Principal,
  { within }: WriteOptions = {},
): Promise<{ challenge: string; options: PasskeyRequestOptions }> {
  const { auth, party } = context;
  const db = within ?? auth.db;
  const session = sessionOf(principal);
  const { userId, user } = principal;
  const allow = await passkeysOf(db, userId);
  if (allow.length === 0) throw new UnknownPasskey();
  const { nonce, nonceHash } = newNonce(context);
  const { token } = await auth.challenges.create(db, {
    purpose: 'passkey_step_up',
    userId,
    tenantId: user.tenantId,
    data: { nonceHash, sessionId: session.id },
  });
  const userVerification = verificationFor(context, session);
  return { challenge: token, options: requestOptions(party, nonce, { allow, userVerification }) };
}

export async function stepUp(
  context: PasskeysContext,
  principal: Principal,
  input: { challenge: string; response: AssertionResponse },
  options: WriteOptions = {},
): Promise<SteppedUp> {
  const { auth } = context;
  const db = options.within ?? auth.db;
  const session = sessionOf(principal);
  const { userId } = principal;
  const response = parseAssertion(input.response);
  const own = { token: input.challenge, session, user: principal.user };
  const challenge = await consumeOwn(context, db, 'passkey_step_up', own);
  const isChallenge = nonceCheck(challenge);
  const userVerification = verificationFor(context, session);
  const { tenantId } = principal.user;
  const expected = { isChallenge, userVerification, userId, tenantId };
  const checked = await checkAssertion(context, db, response, expected);
  if ('reason' in checked)
    throw await refuse(context, 'auth.step_up.failed', { ...checked, userId }, options);
  const raised = await transact(db, async (trx) => {
    if (!(await noteUse(context, trx, checked, options))) return null;
    const proof = { method: 'passkey', level: 2 } as const;
    const renewed = await raiseSession(auth, trx, principal, proof);
    const details = { sessionId: session.id, ...proof };
    await record(auth, trx, { type: 'auth.step_up.succeeded', userId, details }, options.origin);
    return renewed;
  });
  if (raised === null) throw notAccepted();
  return raised;
}

// Presence alone is one factor; it makes two where the session was opened with another one.
function verificationFor({ party }: PasskeysContext, { methods }: Session) {
  const hasFirst = methods.includes('pwd') || methods.includes('federated');
  return hasFirst ? party.userVerification : 'required';
}
