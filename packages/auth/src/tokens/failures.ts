import { failure } from '@svc/core';

/** A JWT is forged, expired, malformed, or meant for somebody else. The reason is for the log; who presents it is not told. */
export class InvalidBearerToken extends failure(
  'auth.invalid_bearer_token',
  'unauthenticated',
  'The bearer token is not valid.',
) {}

/** The keys of the issuer cannot be fetched, and none that are recent enough are at hand; `details.retryAfterSeconds` says when to come back. */
export class IssuerUnavailable extends failure(
  'auth.issuer_unavailable',
  'unavailable',
  'The token cannot be checked at this moment. Try again shortly.',
) {}
