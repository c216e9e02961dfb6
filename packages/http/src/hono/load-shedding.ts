import type { Context, MiddlewareHandler } from 'hono';
import { type LoadShedder, Overloaded, type Priority } from '../load-shedder.ts';

export interface LoadSheddingOptions {
  /** How important a request is. @default probes, `/metrics` and what is below `/admin` are critical, all else normal */
  priority?: (c: Context) => Priority;
}

/** Refuses requests while there are too many; put it before what costs time. @throws {Overloaded} */
export function loadShedding(
  shedder: LoadShedder,
  { priority = priorityOf }: LoadSheddingOptions = {},
): MiddlewareHandler {
  return async function loadShedding(c, next) {
    if (!shedder.admits(priority(c))) throw new Overloaded({ retryAfterSeconds: 1 });
    await next();
  };
}

const critical = /^\/(?:healthz|readyz|startupz|metrics|admin|admin\/.*)$/;

const priorityOf = (c: Context): Priority => (critical.test(c.req.path) ? 'critical' : 'normal');
