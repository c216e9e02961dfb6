import type { MiddlewareHandler } from 'hono';
import { describe, type OperationDescription } from './description.ts';

/** Documents a route; does nothing to a request. `app.get('/ping', operation({ id: 'ping', … }), handler)`. */
export function operation(description: OperationDescription): MiddlewareHandler {
  return describe((_, next) => next(), { operation: description });
}
