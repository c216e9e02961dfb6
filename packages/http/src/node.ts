import { createServer, type Server as NodeServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { type NewId, silentLogger, systemClock } from '@svc/core';
import {
  bareProblem,
  defaultGraceMs,
  guardFetch,
  type ServeOptions,
  type Server,
  toUrl,
} from './server.ts';

export type { Fetch, ServeOptions, Server } from './server.ts';

/** Listens with `node:http`. @throws when the port is taken. */
export async function serve({
  fetch,
  port,
  hostname = '0.0.0.0',
  headersTimeoutMs = 10_000,
  requestTimeoutMs = 120_000,
  keepAliveTimeoutMs = 65_000,
  logger = silentLogger,
  clock = systemClock,
  newId,
}: ServeOptions): Promise<Server> {
  const listener = getRequestListener(guardFetch(fetch, logger, newId), {
    errorHandler: () => {
      const problem = bareProblem(400, 'http.bad_request', 'Bad Request', newId);
      return new Response(problem.body, problem);
    },
  });
  const answers = new Set<ServerResponse>();
  let stopping = false;

  const server = createServer(
    {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      // Node looks for late clients every 30 s unless told, whatever the limits say.
      connectionsCheckingInterval: Math.min(1000, headersTimeoutMs),
    },
    (incoming, outgoing) => {
      answers.add(outgoing);
      outgoing.shouldKeepAlive &&= !stopping;
      outgoing.once('close', () => {
        answers.delete(outgoing);
        // A connection that was busy when the stop began has become idle now.
        if (stopping) void clock.sleep(0).then(() => server.closeIdleConnections());
      });
      void listener(incoming, outgoing);
    },
  );
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuse(error, socket, newId));
  await listen(server, port, hostname);
  const bound = (server.address() as AddressInfo).port;

  return {
    port: bound,
    url: toUrl(hostname, bound),
    async stop({ graceMs = defaultGraceMs } = {}) {
      stopping = true;
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      // These answers say `Connection: close`, so that their clients do not send the next request here.
      for (const outgoing of answers) outgoing.shouldKeepAlive = false;
      server.closeIdleConnections();
      const finished = new AbortController();
      const late = clock.sleep(graceMs, finished.signal).then(
        () => {
          logger.warn({ inFlight: answers.size }, 'cut off what had not finished in time');
          server.closeAllConnections();
        },
        // Aborted below, when all had finished.
        () => undefined,
      );
      await Promise.race([closed, late]);
      finished.abort('closed');
      await closed;
    },
  };
}

function listen(server: NodeServer, port: number, hostname: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, hostname, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

const refusals: Record<string, [status: number, code: string, title: string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'http.request_timeout', 'Request Timeout'],
  HPE_HEADER_OVERFLOW: [431, 'http.headers_too_large', 'Request Header Fields Too Large'],
};

/** Answers what is not HTTP, or too slow or too long in its header, before there is a request. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex, newId: NewId | undefined) {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, code, title] = refusals[error.code ?? ''] ?? [
    400,
    'http.bad_request',
    'Bad Request',
  ];
  const { headers, body } = bareProblem(status, code, title, newId);
  const lines = Object.entries({
    ...headers,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${lines.join('')}\r\n${body}`);
}
