import { type FieldError, ValidationFailed } from '@svc/core';
import { transact, type Trx } from '@svc/db';
import { record } from '../acts.ts';
import type { WriteOptions } from '../context.ts';
import { type Principal, sessionOf } from '../principal.ts';
import { assertStrong } from '../second-factors/assert-strong.ts';
import { enableMfa } from '../second-factors/enabling.ts';
import { endOtherSessions, raiseSession } from '../second-factors/raised-session.ts';
import type { SteppedUp } from '../second-factors/step-up.ts';
import type { PasskeyRow } from '../tables.ts';
import { lockUser } from '../users.ts';
import { consumeOwn, newNonce, nonceCheck, parseInput, type PasskeysContext } from './context.ts';
import { TooManyPasskeys } from './failures.ts';
import { type Passkey, tellOwner, toPasskey } from './management.ts';
import { creationOptions, type PasskeyCreationOptions } from './options.ts';
import { claimHandle, insertPasskey, passkeysOf } from './queries.ts';
import {
  PasskeyNameSchema,
  type RegistrationResponse,
  RegistrationResponseSchema,
} from './schemas.ts';
import { type NewCredential, verifyNewCredential } from './verification.ts';

export interface PasskeyRegistration {
  /** From `registrationOptions`. */
  challenge: string;
  response: RegistrationResponse;
  /** What the person calls it. @default 'Passkey' */
  name?: string | undefined;
  /** Whether the user's other sessions end. @default false */
  endOtherSessions?: boolean | undefined;
}

export interface RegisteredPasskey extends SteppedUp {
  readonly passkey: Passkey;
  /** Given out here and never again; `null` where the account had a second factor before. */
  readonly recoveryCodes: readonly string[] | null;
}

// Also a bound on excludeCredentials, which goes to the authenticator one by one.
const maxPasskeys = 20;

export async function registrationOptions(
  context: PasskeysContext,
  principal: Principal,
  { within }: WriteOptions = {},
): Promise<{ challenge: string; options: PasskeyCreationOptions }> {
  const { auth, party } = context;
  const db = within ?? auth.db;
  const session = sessionOf(principal);
  const { userId } = principal;
  // 64 random bytes tell nothing, and fill what WebAuthn allows (Level 3 14.6.1).
  const user = await claimHandle(db, userId, auth.random(64));
  const existing = await passkeysOf(db, userId);
  if (existing.length >= maxPasskeys) throw new TooManyPasskeys();
  const { nonce, nonceHash } = newNonce(context);
  const { token } = await auth.challenges.create(db, {
    purpose: 'passkey_registration',
    userId,
    tenantId: principal.user.tenantId,
    data: { nonceHash, sessionId: session.id },
  });
  const handle = user.passkey_handle as Uint8Array;
  return { challenge: token, options: creationOptions(party, nonce, { user, handle, existing }) };
}

export async function register(
  context: PasskeysContext,
  principal: Principal,
  input: PasskeyRegistration,
  { within, origin }: WriteOptions = {},
): Promise<RegisteredPasskey> {
  const { auth, party } = context;
  const db = within ?? auth.db;
  const session = sessionOf(principal);
  const { userId } = principal;
  const name = parseInput(PasskeyNameSchema, input.name ?? 'Passkey', nameFault);
  const response = parseInput(RegistrationResponseSchema, input.response, responseFault);
  const own = { token: input.challenge, session, user: principal.user };
  const challenge = await consumeOwn(context, db, 'passkey_registration', own);
  const { userVerification } = party;
  const expected = { isChallenge: nonceCheck(challenge), userVerification };
  const credential = await verifyNewCredential(party, response, expected);
  if (credential === null) throw notRegistered();
  return transact(db, async (trx) => {
    assertStrong(await lockUser(trx, userId), session);
    const row = await store(context, trx, { userId, name, credential });
    const recoveryCodes = await enableMfa(auth, trx, userId, origin);
    const raised = await raiseSession(auth, trx, principal, { method: 'passkey', level: 2 });
    const sessionsEnded =
      input.endOtherSessions === true ? await endOtherSessions(auth, trx, principal) : 0;
    const details = { passkeyId: row.id, backupEligible: row.backup_eligible, sessionsEnded };
    await record(auth, trx, { type: 'auth.passkey.added', userId, details }, origin);
    await tellOwner(context, trx, userId, 'passkey_added');
    return { passkey: toPasskey(row), recoveryCodes, ...raised };
  });
}

async function store(
  { auth }: PasskeysContext,
  trx: Trx,
  { userId, name, credential }: { userId: string; name: string; credential: NewCredential },
): Promise<PasskeyRow> {
  if ((await passkeysOf(trx, userId)).length >= maxPasskeys) throw new TooManyPasskeys();
  const row = await insertPasskey(trx, {
    id: auth.newId(),
    user_id: userId,
    credential_id: credential.id,
    public_key: credential.publicKey,
    sign_count: credential.signCount,
    transports: [...credential.transports],
    aaguid: credential.aaguid,
    backup_eligible: credential.backupEligible,
    backed_up: credential.backedUp,
    discoverable: credential.discoverable,
    user_verified: credential.userVerified,
    name,
    created_at: auth.clock.now(),
    last_used_at: null,
  });
  if (row === undefined) throw notRegistered();
  return row;
}

const nameFault: FieldError = {
  pointer: '/name',
  code: 'passkey_name',
  message: 'Must be text of 1 to 100 characters without control characters.',
};

const responseFault: FieldError = {
  pointer: '/response',
  code: 'passkey_response',
  message: 'Must be what navigator.credentials.create answered, by its toJSON.',
};

// One answer for whatever did not fit, a credential that another account has included.
const notRegistered = () =>
  new ValidationFailed([
    {
      pointer: '/response',
      code: 'passkey_not_accepted',
      message: 'The passkey was not accepted. Start again.',
    },
  ]);
