export { type Auth, type AuthOptions, createAuth } from './auth.ts';
export type { WriteOptions } from './context.ts';
export {
  loggedIn,
  loggedOut,
  loginFailed,
  type LoginFailedReason,
  type BreachMark,
  passwordReset,
  registered,
  verified,
} from './events.ts';
export {
  AuthBusy,
  BreachCheckUnavailable,
  ForeignLogin,
  InvalidCredentials,
  InvalidToken,
  Unauthenticated,
} from './failures.ts';
export type { LoggedIn, Login } from './login.ts';
export type { AuthMail, SendMail } from './mails.ts';
export {
  type BreachList,
  haveIBeenPwned,
  type HaveIBeenPwnedOptions,
} from './passwords/breaches.ts';
export { betterAuthScrypt } from './passwords/foreign/better-auth-scrypt.ts';
export { firebaseScrypt, type FirebaseScryptOptions } from './passwords/foreign/firebase-scrypt.ts';
export { pbkdf2 } from './passwords/foreign/pbkdf2.ts';
export type { ForeignHash, ParsedHash } from './passwords/foreign-hashes.ts';
export type {
  HashingCost,
  HashingOptions,
  PasswordAlgorithm,
} from './passwords/password-hasher.ts';
export type { PasswordOptions } from './passwords/policy.ts';
export type { PasswordReset } from './password-reset.ts';
export type { Registration } from './registration.ts';
export type { Principal, Session } from './sessions.ts';
export { authSettings } from './settings.ts';
export type { User } from './users.ts';
