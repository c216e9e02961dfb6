import { failure } from '@svc/core';

/** Signing in was refused. Says the same for an unknown address, a wrong password, an unverified and a disabled account. */
export class InvalidCredentials extends failure(
  'auth.invalid_credentials',
  'unauthenticated',
  'The e-mail address or the password is wrong.',
) {}

/** The request carries no session that is alive. */
export class Unauthenticated extends failure(
  'auth.unauthenticated',
  'unauthenticated',
  'Sign in to do this.',
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

/** The list of breached passwords cannot be asked, and the app takes no new password unchecked. */
export class BreachCheckUnavailable extends failure(
  'auth.breach_check_unavailable',
  'unavailable',
  'New passwords cannot be checked at this moment. Try again shortly.',
) {}
