import { failure } from '@svc/core';

/** There is no provider of this name. */
export class UnknownProvider extends failure(
  'auth.unknown_provider',
  'not_found',
  'There is no such way to sign in.',
) {}

/** What came back from the provider does not fit what was asked for, or the provider refused; `details.reason` is `denied` where the person did. */
export class OAuthFailed extends failure(
  'auth.oauth_failed',
  'unauthenticated',
  'Signing in with this provider did not work. Start again.',
) {}

/** The provider does not answer. */
export class ProviderUnavailable extends failure(
  'auth.provider_unavailable',
  'unavailable',
  'The sign-in provider cannot be reached. Try again shortly.',
) {}

/** The provider tells no e-mail address, so that no account can be opened. */
export class EmailMissing extends failure(
  'auth.oauth_email_missing',
  'forbidden',
  'The provider told no e-mail address. Register with one, sign in, then link the provider.',
) {}

/** The account at the provider is linked to none here, and its e-mail address is not enough to link it or to open one. */
export class IdentityNotLinked extends failure(
  'auth.identity_not_linked',
  'forbidden',
  'This way to sign in is not linked to your account. Sign in as usual, or register, then link it.',
) {}

/** The account at the provider is linked to somebody else here. */
export class IdentityTaken extends failure(
  'auth.identity_taken',
  'conflict',
  'This way to sign in is linked to another account.',
) {}

/** The user has no such identity. */
export class IdentityNotFound extends failure(
  'auth.identity_not_found',
  'not_found',
  'Your account has no such way to sign in.',
) {}
