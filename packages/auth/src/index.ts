export type { Account } from './account/account.ts';
export type { PasswordChange } from './account/change-password.ts';
export {
  type Actor,
  type AppendAudit,
  type AuthAct,
  type AuthActType,
  authActTypes,
  type AuthAuditEvent,
} from './acts.ts';
export type { ApiKeys, IsMember, NewApiKey } from './api-keys/api-keys.ts';
export type { ApiKey } from './api-keys/queries.ts';
export type { TenantApiKey, TenantApiKeys } from './api-keys/tenant-keys.ts';
export { type Auth, type AuthOptions, createAuth } from './auth.ts';
export {
  type Authorization,
  type AuthorizationOptions,
  type AuthPermission,
  authPermissions,
  type AuthRole,
  createAuthorization,
  type Guard,
  ownedBy,
  type Subject,
} from './authorization.ts';
export type { WriteOptions } from './context.ts';
export { type EmailAddress, parseEmail } from './email.ts';
export { acted } from './events.ts';
export {
  AccessDenied,
  ApiKeyNotFound,
  AuthBusy,
  AuthLocked,
  BreachCheckUnavailable,
  DeviceNotFound,
  ForeignLogin,
  InsufficientAuthentication,
  InvalidChallenge,
  InvalidCode,
  InvalidCredentials,
  InvalidRefreshToken,
  InvalidToken,
  LastWayIn,
  MfaEnrolmentRequired,
  MfaNotEnabled,
  SessionNotFound,
  TenantRequired,
  TooManyApiKeys,
  TotpNotFound,
  UserExists,
  UserNotFound,
  Unauthenticated,
} from './failures.ts';
export type { IdentityScope } from './identity-scope.ts';
export type { Device, OwnDevices } from './lockout/own-devices.ts';
export type { CounterOptions, LockoutAnswer, LockoutOptions } from './lockout/throttle-policy.ts';
export type { Login, LoginFailedReason } from './login.ts';
export { type MailRequest, MailRequestSchema, type QueueMail } from './mail-requests.ts';
export type { AuthMail, SecurityChange, SendMail } from './mails.ts';
export type { Origin } from './origin.ts';
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
export { actorOf, type ApiKeyInUse, type Principal } from './principal.ts';
export type { Purged } from './purge.ts';
export type { Refreshed } from './refresh/refresh.ts';
export type { Registration } from './registration.ts';
export type { ChallengeAnswer } from './second-factors/challenge.ts';
export type { TypedCode } from './second-factors/codes.ts';
export type { Mfa } from './second-factors/mfa.ts';
export type { FactorCounts, SecondFactor } from './second-factors/second-factors.ts';
export type { StepUp, SteppedUp } from './second-factors/step-up.ts';
export type { TotpConfirmation, TotpConfirmed, TotpEnrolment } from './second-factors/totp.ts';
export type { ListedSession, SessionManagement } from './session-management.ts';
export type { SessionCacheOptions } from './session-cache.ts';
export type { AuthMethod, HeldSession, RefreshGrant, Session } from './sessions.ts';
export { authSettings } from './settings.ts';
export type { SecondFactorRequired, SignedIn, SignIn, SignInWishes } from './sign-in.ts';
export type { UserImport } from './user-import.ts';
export type { ManagedUser, UserManagement } from './user-management.ts';
export type { User } from './users.ts';
