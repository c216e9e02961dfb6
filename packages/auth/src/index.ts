export { type Auth, type AuthOptions, createAuth } from './auth.ts';
export type { WriteOptions } from './context.ts';
export {
  loggedIn,
  loggedOut,
  loginFailed,
  type LoginFailedReason,
  passwordReset,
  registered,
  verified,
} from './events.ts';
export {
  AuthBusy,
  ForeignLogin,
  InvalidCredentials,
  InvalidToken,
  Unauthenticated,
} from './failures.ts';
export type { LoggedIn, Login } from './login.ts';
export type { AuthMail, SendMail } from './mails.ts';
export type { HashingCost, HashingOptions, PasswordAlgorithm } from './password-hasher.ts';
export type { PasswordReset } from './password-reset.ts';
export type { Registration } from './registration.ts';
export type { Principal, Session } from './sessions.ts';
export { authSettings } from './settings.ts';
export type { User } from './users.ts';
