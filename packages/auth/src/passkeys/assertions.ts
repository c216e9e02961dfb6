import { constantTimeEqual, type FieldError } from '@svc/core';
import type { Db, Trx } from '@svc/db';
import { type AuthAct, record, recordAlone } from '../acts.ts';
import type { WriteOptions } from '../context.ts';
import { InvalidCredentials } from '../failures.ts';
import { queueNotice } from '../security-notice.ts';
import { parseInput, type PasskeysContext } from './context.ts';
import { lockUser } from '../users.ts';
import { toBase64url } from './options.ts';
import { advanceCount, findByCredentialId, type OwnedPasskey } from './queries.ts';
import { type AssertionResponse, AssertionResponseSchema } from './schemas.ts';
import { type Assertion, type Expectation, verifyAssertion } from './verification.ts';

/** Why a passkey was refused. For operators; the person who tries is never told. */
type RefusedReason = 'unknown_passkey' | 'wrong_owner' | 'wrong_answer' | 'unverified' | 'disabled';

export interface Checked {
  readonly passkey: OwnedPasskey;
  readonly assertion: Assertion;
}

interface Refused {
  readonly reason: RefusedReason;
  /** Whose passkey it is; `null` where nobody has it. */
  readonly userId: string | null;
}

const fault: FieldError = {
  pointer: '/response',
  code: 'passkey_response',
  message: 'Must be what navigator.credentials.get answered, by its toJSON.',
};

/** @throws {ValidationFailed} */
export const parseAssertion = (response: unknown): AssertionResponse =>
  parseInput(AssertionResponseSchema, response, fault);

/** Whether the answer of an authenticator holds; `userId` where it is known who must have given it. Nothing is written. */
export async function checkAssertion(
  { party }: PasskeysContext,
  db: Db,
  response: AssertionResponse,
  expected: Expectation & { userId: string | null; tenantId: string | null },
): Promise<Checked | Refused> {
  const credentialId = Buffer.from(response.id, 'base64url');
  const passkey = await findByCredentialId(db, credentialId, expected.tenantId);
  if (passkey === undefined) return { reason: 'unknown_passkey', userId: expected.userId };
  const userId = passkey.user_id;
  if (!isOwner(passkey, response, expected.userId)) return { reason: 'wrong_owner', userId };
  const { public_key: publicKey } = passkey;
  const assertion = await verifyAssertion(party, response, { ...expected, publicKey });
  // Whether it can be copied is fixed when a credential is made (WebAuthn Level 3 6.1.3).
  if (assertion === null || assertion.backupEligible !== passkey.backup_eligible)
    return { reason: 'wrong_answer', userId };
  if (passkey.disabled_at !== null) return { reason: 'disabled', userId };
  if (passkey.verified_at === null) return { reason: 'unverified', userId };
  return { passkey, assertion };
}

// WebAuthn Level 3 7.2, step 6: where nobody was named before, the authenticator must name the owner.
function isOwner(
  passkey: OwnedPasskey,
  { response: { userHandle } }: AssertionResponse,
  userId: string | null,
): boolean {
  if (userId !== null && passkey.user_id !== userId) return false;
  if (userHandle === undefined || userHandle === null) return userId !== null;
  const { passkey_handle: handle } = passkey;
  return handle !== null && constantTimeEqual(userHandle, toBase64url(handle));
}

/** Takes over the count, and with `isAlone` that it signs in with nothing else; `false`, and the owner is told, when it tells of a copy. */
export async function noteUse(
  { auth }: PasskeysContext,
  trx: Trx,
  { passkey, assertion }: Checked,
  { origin, isAlone = false }: Pick<WriteOptions, 'origin'> & { isAlone?: boolean },
): Promise<boolean> {
  // As in all that changes factors, so that no two wait for each other.
  await lockUser(trx, passkey.user_id);
  const count = await advanceCount(trx, passkey.id, { ...assertion, isAlone }, auth.clock.now());
  if (count !== 'regressed') return count === 'advanced';
  const act: AuthAct = {
    type: 'auth.passkey.counter_regressed',
    outcome: 'failure',
    userId: passkey.user_id,
    actor: { type: 'anonymous', id: null },
    details: { passkeyId: passkey.id },
  };
  await record(auth, trx, act, origin);
  await queueNotice(auth, trx, { id: passkey.user_id, email: passkey.email }, 'passkey_suspected');
  return false;
}

/** One failure for every reason; which one it was is recorded. */
export async function refuse(
  { auth }: PasskeysContext,
  type: 'auth.login.failed' | 'auth.mfa.failed' | 'auth.step_up.failed',
  { reason, userId }: Refused,
  options: WriteOptions,
): Promise<InvalidCredentials> {
  const details = { method: 'passkey', reason };
  await recordAlone(auth, { type, outcome: 'failure', userId, details }, options);
  return notAccepted();
}

export const notAccepted = () =>
  new InvalidCredentials({ detail: 'The passkey was not accepted.' });
