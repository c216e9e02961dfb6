import { failure } from '@svc/core';

/** Signing in was refused. Says the same for an unknown address, a wrong password, an unverified and a disabled account. */
export class InvalidCredentials extends failure(
  'auth.invalid_credentials',
  'unauthenticated',
  'The e-mail address or the password is wrong.',
) {}

/** Too many failures; `details.retryAfterSeconds` says when to come back. Only where `lockout.answer` is `retry_after`. */
export class AuthLocked extends failure(
  'auth.locked',
  'rate_limited',
  'There were too many failed attempts. Wait, or choose a new password by mail.',
) {}

/** The request carries no session that is alive. */
export class Unauthenticated extends failure(
  'auth.unauthenticated',
  'unauthenticated',
  'Sign in to do this.',
) {}

/** Identities belong to tenants here, and the request names none. */
export class TenantRequired extends failure(
  'auth.tenant_required',
  'invalid',
  'It is not clear for which tenant this is.',
) {}

/** The tenant lets in only those who have a second factor, and the account has none. */
export class MfaEnrolmentRequired extends failure(
  'auth.mfa_enrolment_required',
  'forbidden',
  'Set up a second factor to work here.',
) {}

/** A page of another site asked to sign its visitor in. */
export class ForeignLogin extends failure(
  'auth.foreign_login',
  'forbidden',
  'This page may not sign you in.',
) {}

/** The token of a link is unknown, used, replaced by a newer one, or too old. */
export class InvalidToken extends failure(
  'auth.invalid_token',
  'invalid',
  'The link is not valid any more. Ask for a new one.',
) {}

/** More passwords wait to be hashed than the process can take on; `details.retryAfterSeconds` says when to come back. */
export class AuthBusy extends failure(
  'auth.busy',
  'unavailable',
  'Too many people are signing in at this moment. Try again shortly.',
) {}

/** What is asked for needs a permission or a role that the caller lacks. */
export class AccessDenied extends failure(
  'auth.access_denied',
  'forbidden',
  'You are not allowed to do this.',
) {}

/** The session is alive, but what is asked for needs a newer or a stronger proof of who is there (RFC 9470). */
export class InsufficientAuthentication extends failure(
  'auth.insufficient_user_authentication',
  'unauthenticated',
  'Confirm that it is you to do this.',
) {}

/** The challenge is unknown, answered, too old, or was answered wrongly too often. */
export class InvalidChallenge extends failure(
  'auth.invalid_challenge',
  'unauthenticated',
  'This sign-in is not valid any more. Start again.',
) {}

/** The code of a second factor is wrong, or was used before. */
export class InvalidCode extends failure(
  'auth.invalid_code',
  'unauthenticated',
  'The code is wrong or was used before.',
) {}

/** The refresh token is unknown, too old, or its session has ended. Used twice, it has ended the session. */
export class InvalidRefreshToken extends failure(
  'auth.invalid_refresh_token',
  'unauthenticated',
  'The session has ended. Sign in again.',
) {}

/** No session of the user has this id, or it has ended. */
export class SessionNotFound extends failure(
  'auth.session_not_found',
  'not_found',
  'There is no such session.',
) {}

/** No browser that knows the user has this id. */
export class DeviceNotFound extends failure(
  'auth.device_not_found',
  'not_found',
  'There is no such browser.',
) {}

/** The user has set up no authenticator app. */
export class TotpNotFound extends failure(
  'auth.totp_not_found',
  'not_found',
  'There is no authenticator app.',
) {}

/** No API key of the user has this id, or it has ended. */
export class ApiKeyNotFound extends failure(
  'auth.api_key_not_found',
  'not_found',
  'There is no such API key.',
) {}

/** The user has 100 API keys that work; revoke one first. */
export class TooManyApiKeys extends failure(
  'auth.too_many_api_keys',
  'conflict',
  'There are too many API keys. Revoke one first.',
) {}

/** No user has this id. */
export class UserNotFound extends failure(
  'auth.user_not_found',
  'not_found',
  'There is no such user.',
) {}

/** The address has an account already. Only those who administer users are told. */
export class UserExists extends failure(
  'auth.user_exists',
  'conflict',
  'There is a user with this address already.',
) {}

/** The list of breached passwords cannot be asked, and the app takes no new password unchecked. */
export class BreachCheckUnavailable extends failure(
  'auth.breach_check_unavailable',
  'unavailable',
  'New passwords cannot be checked at this moment. Try again shortly.',
) {}

/** Recovery codes are made for an account that has a second factor. */
export class MfaNotEnabled extends failure(
  'auth.mfa_not_enabled',
  'conflict',
  'Set up a second factor first.',
) {}

/** Without it nobody could sign in to the account. */
export class LastWayIn extends failure(
  'auth.last_way_in',
  'conflict',
  'This is the last way to sign in to your account. Add another one first.',
) {}
