import { failure } from '@svc/core';

/** This address takes only requests with an `Idempotency-Key`. */
export class KeyMissing extends failure(
  'idempotency.key_required',
  'invalid',
  'Send an Idempotency-Key: a new one for each operation, the same when you repeat it.',
) {}

/** The key is no RFC 8941 string and no bare text of 1 to 255 visible ASCII characters, or there are several. */
export class KeyInvalid extends failure(
  'idempotency.key_invalid',
  'invalid',
  'The Idempotency-Key is one text of 1 to 255 visible ASCII characters, quoted or not.',
) {}

/** The key came before, from the same caller to the same address, with another request. */
export class KeyReused extends failure(
  'idempotency.key_reused',
  'conflict',
  'This Idempotency-Key was used for another request. Take a new key.',
) {}

/** `KeyReused`, where an app asks for the status that the IETF draft has, which is 422. */
export class KeyReusedUnprocessable extends failure(
  'idempotency.key_reused_unprocessable',
  'invalid',
  'This Idempotency-Key was used for another request. Take a new key.',
) {}

/** The first request with this key has not ended yet. */
export class StillRunning extends failure(
  'idempotency.in_progress',
  'conflict',
  'A request with this Idempotency-Key is still running. Repeat it later.',
) {}

/** The request was executed and will not be again, but its answer was not kept; `details.reason` says why. */
export class NotReplayable extends failure(
  'idempotency.not_replayable',
  'conflict',
  'This request was executed already, and its answer is not kept.',
) {}

/** The body is too large for a request with a key. */
export class BodyTooLarge extends failure(
  'idempotency.body_too_large',
  'too_large',
  'The body is too large for a request with an Idempotency-Key.',
) {}

/** Nothing was executed: where keys are kept cannot be asked. */
export class StoreUnavailable extends failure(
  'idempotency.unavailable',
  'unavailable',
  'Requests with an Idempotency-Key cannot be taken right now. Nothing was done.',
) {}
