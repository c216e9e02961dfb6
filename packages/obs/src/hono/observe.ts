import { isFailure } from '@svc/core';
import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { Obs } from '../obs.ts';
import { type RouteClass, routeClasses } from '../route-class.ts';

export interface ObserveOptions {
  /** The class of a route, by its pattern. @default routeClasses() */
  routeClass?: (route: string) => RouteClass;
  /** Whom the request is from, once that is known; asked when a line is logged. @default nobody */
  identify?: (c: Context) => {
    readonly tenantId?: string | undefined;
    readonly principalId?: string | undefined;
  };
  /** Sizes of answers: those that `Content-Length` declares, or all, counted as they are sent, at the cost of a stream each. @default 'declared' */
  responseSizes?: 'declared' | 'counted';
}

/** Measures every request and gives what it runs its trace; the first middleware, so that it sees what others refuse. */
export function observe(obs: Obs, options: ObserveOptions = {}): MiddlewareHandler {
  const { routeClass = routeClasses(), identify, responseSizes = 'declared' } = options;
  const { clock, scopes } = obs;
  return async function observe(c, next) {
    const startedAtMs = clock.elapsedMs();
    const request = {
      method: c.req.method,
      scheme: c.req.url.startsWith('https:') ? 'https' : 'http',
      protocolVersion: protocolOf(c),
    } as const;
    const observed = obs.beginRequest(request, (name) => c.req.header(name));
    const scope = {
      trace: observed.trace,
      get requestId() {
        return c.get('requestId') as string | undefined;
      },
      get tenantId() {
        return identify?.(c).tenantId;
      },
      get principalId() {
        return identify?.(c).principalId;
      },
    };
    const end = (status: number, thrown: unknown, responseBytes: number | undefined) => {
      const route = matchedRoutes(c).findLast(({ method }) => method !== 'ALL')?.path ?? '';
      observed.end({
        status,
        route,
        routeClass: routeClass(route),
        durationMs: clock.elapsedMs() - startedAtMs,
        exception: exceptionOf(thrown),
        requestBytes: lengthOf(c.req.header('content-length')),
        responseBytes,
      });
    };
    try {
      await scopes.run(scope, next);
    } catch (error) {
      // What escapes the app is answered by the server.
      end(500, error, undefined);
      throw error;
    }
    const { res } = c;
    // Looking at `body` makes a stream of what had none.
    if (responseSizes === 'declared' || res.body === null)
      return end(res.status, c.error, lengthOf(res.headers.get('content-length')));
    c.res = counted(res, (bytes) => end(res.status, c.error, bytes));
  };
}

function counted(response: Response, done: (bytes: number) => void): Response {
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, out) {
      bytes += chunk.byteLength;
      out.enqueue(chunk);
    },
    flush: () => done(bytes),
    // The client has left: it is answered as far as it went.
    cancel: () => done(bytes),
  });
  return new Response(response.body?.pipeThrough(counter), response);
}

function exceptionOf(thrown: unknown): string | undefined {
  if (thrown === undefined || isFailure(thrown)) return undefined;
  return thrown instanceof Error ? thrown.name : 'unknown';
}

const lengthOf = (header: string | undefined | null) =>
  header !== undefined && header !== null && /^\d{1,15}$/.test(header) ? Number(header) : undefined;

/** Node's server says it; others do not. */
const protocolOf = (c: Context): string => {
  const { incoming } = (c.env ?? {}) as { incoming?: { httpVersion?: string } };
  return incoming?.httpVersion ?? '';
};
