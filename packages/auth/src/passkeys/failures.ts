import { failure } from '@svc/core';

/** The account has no such passkey. */
export class UnknownPasskey extends failure(
  'auth.unknown_passkey',
  'not_found',
  'There is no such passkey.',
) {}

/** The account has as many passkeys as it may have. */
export class TooManyPasskeys extends failure(
  'auth.too_many_passkeys',
  'conflict',
  'Remove a passkey before you add another one.',
) {}
