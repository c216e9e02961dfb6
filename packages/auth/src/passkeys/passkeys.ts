import type { Auth } from '../auth.ts';
import type { WriteOptions } from '../context.ts';
import type { Principal } from '../principal.ts';
import type { SteppedUp } from '../second-factors/step-up.ts';
import type { SignedIn, SignIn } from '../sign-in.ts';
import type { PasskeysContext } from './context.ts';
import { login, loginOptions, type PasskeyLogin } from './login.ts';
import { list, type Passkey, remove } from './management.ts';
import type { PasskeyCreationOptions, PasskeyRequestOptions } from './options.ts';
import {
  type PasskeyRegistration,
  register,
  type RegisteredPasskey,
  registrationOptions,
} from './registration.ts';
import { parseRelyingParty } from './relying-party.ts';
import type { AssertionResponse } from './schemas.ts';
import { answerChallenge, type PasskeyAnswer, secondFactorOptions } from './second-factor.ts';
import { stepUp, stepUpOptions } from './step-up.ts';

/**
 * Passkeys (WebAuthn Level 3). Every challenge works once and for 5 minutes, for what it was made
 * for. Why an answer is refused is in no failure: it is audited.
 */
export interface Passkeys {
  /** What a browser needs to make a passkey. The challenge belongs to this session. @throws {TooManyPasskeys} @throws {AccessDenied} for an API key */
  registrationOptions(
    principal: Principal,
    options?: WriteOptions,
  ): Promise<{ challenge: string; options: PasskeyCreationOptions }>;
  /** Adds a passkey, tells the owner, and raises the session to level 2 under a new token. The first second factor brings recovery codes. @throws {InvalidChallenge} @throws {ValidationFailed} @throws {InsufficientAuthentication} when the account has a second factor that this session did not show @throws {TooManyPasskeys} */
  register(
    principal: Principal,
    input: PasskeyRegistration,
    options?: WriteOptions,
  ): Promise<RegisteredPasskey>;
  /** All of the user, oldest first; at most 20. */
  list(principal: Principal): Promise<readonly Passkey[]>;
  /** Removes a passkey and tells the owner; without another second factor, the account has none then. @throws {UnknownPasskey} @throws {LastWayIn} when nothing else is left to sign in with @throws {InsufficientAuthentication} */
  remove(principal: Principal, id: string, options?: WriteOptions): Promise<void>;
  /** What a browser needs to sign in; the same for everybody. */
  loginOptions(
    options?: WriteOptions,
  ): Promise<{ challenge: string; options: PasskeyRequestOptions }>;
  /** Opens a session of level 2: the authenticator must have verified its user. @throws {InvalidChallenge} @throws {InvalidCredentials} @throws {ValidationFailed} */
  login(input: PasskeyLogin, options?: WriteOptions): Promise<SignIn>;
  /** What a browser needs to go on with a sign-in that asks for the second factor. Asked again, only the newest answer counts. @throws {InvalidChallenge} @throws {UnknownPasskey} when the account has none */
  secondFactorOptions(
    input: { challenge: string },
    options?: WriteOptions,
  ): Promise<{ options: PasskeyRequestOptions }>;
  /** Opens the session of a sign-in that asked for the second factor. @throws {InvalidChallenge} also after five wrong answers @throws {InvalidCredentials} @throws {ValidationFailed} */
  answerChallenge(input: PasskeyAnswer, options?: WriteOptions): Promise<SignedIn>;
  /** What a browser needs to prove anew who is there. @throws {UnknownPasskey} when the account has none @throws {AccessDenied} for an API key */
  stepUpOptions(
    principal: Principal,
    options?: WriteOptions,
  ): Promise<{ challenge: string; options: PasskeyRequestOptions }>;
  /** Raises this session, and no other, to level 2 under a new token. @throws {InvalidChallenge} @throws {InvalidCredentials} @throws {ValidationFailed} @throws {Unauthenticated} when it has ended meanwhile */
  stepUp(
    principal: Principal,
    input: { challenge: string; response: AssertionResponse },
    options?: WriteOptions,
  ): Promise<SteppedUp>;
}

export interface PasskeysOptions {
  auth: Auth;
  /** The domain that passkeys belong to; changing it makes all of them useless. @default the host of publicUrl */
  rpId?: string;
  /** What authenticators call us. @default appName */
  rpName?: string;
  /** The origins whose pages may use them, compared exactly. @default that of publicUrl */
  origins?: readonly string[];
  /** Whether a passkey must verify its user where a first factor was shown before. Signing in with nothing else always asks for it. @default 'preferred' */
  userVerification?: 'required' | 'preferred';
  /** Where one can sign in beside: `providers` of `createOAuth` fits. The last way in is not removed. @default every provider that an account is linked to counts */
  providers?: readonly { readonly id: string }[];
}

/** @throws {TypeError} when an origin is none, or does not belong to `rpId`. */
export function createPasskeys({
  auth: { '~context': auth },
  rpId = auth.publicUrl.hostname,
  rpName = auth.appName,
  origins = [auth.publicUrl.origin],
  userVerification = 'preferred',
  providers,
}: PasskeysOptions): Passkeys {
  const party = parseRelyingParty({ id: rpId, name: rpName, origins, userVerification });
  const context: PasskeysContext = { auth, party, providers: providers?.map(({ id }) => id) };
  return {
    registrationOptions: (principal, options) => registrationOptions(context, principal, options),
    register: (principal, input, options) => register(context, principal, input, options),
    list: (principal) => list(context, principal),
    remove: (principal, id, options) => remove(context, principal, id, options),
    loginOptions: (options) => loginOptions(context, options),
    login: (input, options) => login(context, input, options),
    secondFactorOptions: (input, options) => secondFactorOptions(context, input, options),
    answerChallenge: (input, options) => answerChallenge(context, input, options),
    stepUpOptions: (principal, options) => stepUpOptions(context, principal, options),
    stepUp: (principal, input, options) => stepUp(context, principal, input, options),
  };
}
