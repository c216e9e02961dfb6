import { silentLogger, systemClock } from '@svc/core';
import { defaultGraceMs, guardFetch, type ServeOptions, type Server, toUrl } from './server.ts';

export type { Fetch, ServeOptions, Server } from './server.ts';

// The little that is used of Bun, so that the package type-checks without Bun's types.
interface BunServer {
  readonly port: number;
  readonly pendingRequests: number;
  requestIP(request: Request): { readonly address: string } | null;
  timeout(request: Request, seconds: number): void;
  stop(closeActiveConnections: boolean): Promise<void>;
}
interface BunRuntime {
  serve(options: {
    fetch: (request: Request, server: BunServer) => Response | Promise<Response>;
    port: number;
    hostname: string;
    idleTimeout: number;
    maxRequestBodySize: number;
    development: boolean;
  }): BunServer;
}

// Bun takes no longer one.
const longestTimeoutSeconds = 255;
const toSeconds = (ms: number) =>
  Math.min(longestTimeoutSeconds, Math.max(1, Math.ceil(ms / 1000)));

const pollMs = 10;

// A client that trickles is never idle: without this Bun listens to it for ever, answered or not.
function closeSlow(response: Response): Response {
  if (response.status === 408) response.headers.set('connection', 'close');
  return response;
}

/**
 * Listens with `Bun.serve`. @throws when the port is taken, and {TypeError} where there is no Bun.
 *
 * Bun has one idle time for a connection, in whole seconds: `headersTimeoutMs` is that before its first
 * request, `requestTimeoutMs` from then on.
 */
export async function serve({
  fetch,
  port,
  hostname = '0.0.0.0',
  headersTimeoutMs = 10_000,
  requestTimeoutMs = 120_000,
  logger = silentLogger,
  clock = systemClock,
  newId,
}: ServeOptions): Promise<Server> {
  const bun = (globalThis as { Bun?: BunRuntime }).Bun;
  if (bun === undefined) throw new TypeError('this server needs Bun; on Node, take @svc/http/node');
  const guarded = guardFetch(fetch, logger, newId);
  const requestSeconds = toSeconds(requestTimeoutMs);

  const server = bun.serve({
    port,
    hostname,
    idleTimeout: toSeconds(headersTimeoutMs),
    // The body limit of the app answers; Bun's own is a 413 without a problem or a request id.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    // Its error page would show the source.
    development: false,
    fetch(request, connection) {
      connection.timeout(request, requestSeconds);
      // Asked of this very request: a middleware that replaces it has one that Bun does not know.
      const env = { remoteAddress: () => connection.requestIP(request)?.address };
      const response = guarded(request, env);
      return response instanceof Promise ? response.then(closeSlow) : closeSlow(response);
    },
  });

  return {
    port: server.port,
    url: toUrl(hostname, server.port),
    async stop({ graceMs = defaultGraceMs } = {}) {
      const endsAtMs = clock.elapsedMs() + graceMs;
      // Not awaited: it waits for connections that are kept alive, too.
      void server.stop(false);
      while (server.pendingRequests > 0 && clock.elapsedMs() < endsAtMs) await clock.sleep(pollMs);
      const inFlight = server.pendingRequests;
      if (inFlight > 0) logger.warn({ inFlight }, 'cut off what had not finished in time');
      await server.stop(true);
    },
  };
}
