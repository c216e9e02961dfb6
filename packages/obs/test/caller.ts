import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { createGuardedFetch } from '@svc/http';
import { createObs, type Trust } from '@svc/obs';
import { observe } from '@svc/obs/hono';
import { Hono } from 'hono';

/** What one outgoing call told of its trace. */
export interface SentTrace {
  readonly traceparent: string | undefined;
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly tracestate: string | null;
  readonly baggage: string | null;
}

/** Sends these header lines, as they are, to a service that calls another one `times` times, and gives what it sent there. */
export async function call(
  headers: readonly (readonly [string, string])[],
  { times = 1, trust = 'mesh' }: { times?: number; trust?: Trust } = {},
): Promise<SentTrace[]> {
  const sent: SentTrace[] = [];
  await using upstream = await listening(
    http.createServer((request, response) => {
      const { traceparent, tracestate, baggage } = request.headers;
      const [, traceId, spanId] = String(traceparent).split('-');
      sent.push({
        traceparent: traceparent as string | undefined,
        traceId,
        spanId,
        tracestate: (tracestate as string | undefined) ?? null,
        baggage: (baggage as string | undefined) ?? null,
      });
      response.end('thanks');
    }),
  );
  const obs = createObs({ trust });
  const guarded = createGuardedFetch({ allow: [upstream.url], context: obs.callContext });
  const app = new Hono().use(observe(obs)).get('/', async (c) => {
    for (let at = 0; at < times; at += 1) await guarded.fetch(upstream.url);
    return c.text('done');
  });
  await using service = await listening(serve({ fetch: app.fetch, port: 0 }) as http.Server);
  const request = http.request(service.url, {
    headers: ['host', 'service.test', ...headers.flat()],
    agent: false,
  });
  request.end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  await once(response, 'end');
  guarded.stop();
  if (response.statusCode !== 200) throw new Error(`the service answered ${response.statusCode}`);
  return sent;
}

async function listening(server: http.Server) {
  if (!server.listening) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
