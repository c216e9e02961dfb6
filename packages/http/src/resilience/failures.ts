import { failure } from '@svc/core';

/** What is called has failed too often and is left alone for a while. */
export class CircuitOpen extends failure(
  'http.circuit_open',
  'unavailable',
  'A service that this needs is not available right now.',
) {}

/** So many calls are under way that no more are begun, and none more may wait. */
export class TooManyCalls extends failure(
  'http.too_many_calls',
  'unavailable',
  'Too much of this is under way right now.',
) {}

/** A call did not end in the time it had. */
export class CallTimeout extends failure('http.call_timeout', 'timeout', 'It took too long.') {}
