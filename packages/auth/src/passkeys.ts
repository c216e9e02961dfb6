export { TooManyPasskeys, UnknownPasskey } from './passkeys/failures.ts';
export type { PasskeyLogin } from './passkeys/login.ts';
export type { Passkey } from './passkeys/management.ts';
export type {
  PasskeyCreationOptions,
  PasskeyDescriptor,
  PasskeyRequestOptions,
} from './passkeys/options.ts';
export { createPasskeys, type Passkeys, type PasskeysOptions } from './passkeys/passkeys.ts';
export type { PasskeyRegistration, RegisteredPasskey } from './passkeys/registration.ts';
export type { AssertionResponse, RegistrationResponse } from './passkeys/schemas.ts';
export type { PasskeyAnswer } from './passkeys/second-factor.ts';
