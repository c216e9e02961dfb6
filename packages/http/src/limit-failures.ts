import { failure } from '@svc/core';

/** The body has more bytes than this service takes; nothing of it was kept. Answered with 413. */
export class BodyTooLarge extends failure(
  'http.body_too_large',
  'too_large',
  'The request body is too large.',
) {}

/** The body came too slowly. Answered with 408 (RFC 9110 section 15.5.9), not with the 504 of its kind: the client is the slow one. */
export class BodyTimeout extends failure(
  'http.body_timeout',
  'timeout',
  'The request body did not arrive in time.',
) {}

/** The connection ended before the body did. Answered with 400, where somebody is still there to read it. */
export class BodyIncomplete extends failure(
  'http.body_incomplete',
  'invalid',
  'The request body ended early.',
) {}

/** The service did not finish in time; what it was doing was told to stop. Answered with 504. */
export class HandlerTimeout extends failure(
  'http.handler_timeout',
  'timeout',
  'The service took too long to answer.',
) {}
