import {
  constantTimeEqual,
  type FieldError,
  randomToken,
  sha256,
  ValidationFailed,
} from '@svc/core';
import type { Db } from '@svc/db';
import * as v from 'valibot';
import type { AuthContext } from '../context.ts';
import { InvalidChallenge } from '../failures.ts';
import type { Session } from '../sessions.ts';
import type { ChallengeRow } from '../tables.ts';
import type { User } from '../users.ts';
import { toBase64url } from './options.ts';
import type { RelyingParty } from './relying-party.ts';

/** What the flows of one `createPasskeys` work with. */
export interface PasskeysContext {
  readonly auth: AuthContext;
  readonly party: RelyingParty;
  /** By which one can sign in today; `undefined` for all that an account is linked to. */
  readonly providers: readonly string[] | undefined;
}

/** 32 bytes for an authenticator to sign; what is kept of them is only a hash. */
export function newNonce({ auth }: PasskeysContext): { nonce: string; nonceHash: string } {
  const nonce = randomToken(32, auth.random);
  return { nonce, nonceHash: hashOf(nonce) };
}

/** Whether a nonce is the one that a challenge was made with. */
export function nonceCheck(challenge: ChallengeRow): (nonce: unknown) => boolean {
  const { nonceHash } = challenge.data;
  return (nonce) =>
    typeof nonce === 'string' &&
    typeof nonceHash === 'string' &&
    constantTimeEqual(hashOf(nonce), nonceHash);
}

const hashOf = (nonce: string) => toBase64url(sha256(nonce));

/** Uses up a challenge that was made in this session. @throws {InvalidChallenge} */
export async function consumeOwn(
  { auth }: PasskeysContext,
  db: Db,
  purpose: 'passkey_registration' | 'passkey_step_up',
  { token, session, user }: { token: string; session: Session; user: User },
): Promise<ChallengeRow> {
  const { id: userId, tenantId } = user;
  const challenge = await auth.challenges.consume(db, { purpose, token, tenantId });
  const isOwn = challenge?.user_id === userId && challenge.data['sessionId'] === session.id;
  if (challenge === null || !isOwn) throw new InvalidChallenge();
  return challenge;
}

/** An input in the shape it must have. @throws {ValidationFailed} */
export function parseInput<Schema extends v.GenericSchema>(
  schema: Schema,
  input: unknown,
  fault: FieldError,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input);
  if (!result.success) throw new ValidationFailed([fault]);
  return result.output;
}
