import { type Clock, type Logger, type NewId, uuidv7 } from '@svc/core';

/** What answers a request; `app.fetch` of Hono fits. */
export type Fetch = (request: Request, env: object) => Response | Promise<Response>;

export interface ServeOptions {
  fetch: Fetch;
  /** 0 takes a free one. */
  port: number;
  /** @default '0.0.0.0' */
  hostname?: string;
  /** How long a client may take for the header of a request, in milliseconds. @default 10000 */
  headersTimeoutMs?: number;
  /** How long a request may take as a whole, in milliseconds: the net below the body's and the handler's limits. @default 120000 */
  requestTimeoutMs?: number;
  /** How long an idle connection is kept, in milliseconds (Bun: `headersTimeoutMs`); longer than the balancer in front keeps it. @default 65000 */
  keepAliveTimeoutMs?: number;
  /** @default silentLogger */
  logger?: Logger;
  /** @default systemClock */
  clock?: Clock;
  /** Makes the request id of an answer that no app gave. @default uuidv7 */
  newId?: NewId;
}

/** A server that accepts requests. */
export interface Server {
  readonly port: number;
  readonly url: string;
  /** Stops accepting, lets what is in flight finish, and cuts off what has not after `graceMs` milliseconds. */
  stop(options?: { graceMs?: number }): Promise<void>;
}

export const defaultGraceMs = 10_000;

/** An answer from below the app, where no problem handler can reach. */
export interface BareProblem {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** A problem (RFC 9457) that tells nothing but its status and code, with a request id of its own. */
export function bareProblem(
  status: number,
  code: string,
  title: string,
  newId: NewId = uuidv7,
): BareProblem {
  const requestId = newId();
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'x-request-id': requestId,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
    body: JSON.stringify({
      type: 'about:blank',
      title,
      status,
      code,
      instance: `urn:request:${requestId}`,
      request_id: requestId,
    }),
  };
}

/** `fetch` that never throws: what the app did not catch is logged and answered with a bare 500. */
export function guardFetch(fetch: Fetch, logger: Logger, newId: NewId | undefined): Fetch {
  const recover = (error: unknown) => {
    const problem = bareProblem(500, 'http.internal', 'Internal Server Error', newId);
    logger.error(
      { err: error, requestId: problem.headers['x-request-id'] },
      'the app threw instead of answering',
    );
    return new Response(problem.body, problem);
  };
  return (request, env) => {
    try {
      const response = fetch(request, env);
      // Not awaited: the server sends what is there at once without a turn of the loop.
      return response instanceof Promise ? response.catch(recover) : response;
    } catch (error) {
      return recover(error);
    }
  };
}

/** The address to reach a server at that listens on `hostname`. */
export function toUrl(hostname: string, port: number): string {
  const reachable = hostname === '0.0.0.0' || hostname === '::' ? '127.0.0.1' : hostname;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
