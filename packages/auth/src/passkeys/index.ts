export { TooManyPasskeys, UnknownPasskey } from './failures.ts';
export type { PasskeyLogin } from './login.ts';
export type { Passkey, PasskeyRegistration, RegisteredPasskey } from './management.ts';
export type {
  PasskeyCreationOptions,
  PasskeyDescriptor,
  PasskeyRequestOptions,
} from './options.ts';
export { createPasskeys, type Passkeys, type PasskeysOptions } from './passkeys.ts';
export type { AssertionResponse, RegistrationResponse } from './schemas.ts';
export type { PasskeyAnswer } from './second-factor.ts';
