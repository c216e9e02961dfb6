// What guarded calls do, on the runtime that runs it: one line of JSON, from the name of a case to its outcome.
import http from 'node:http';
import https from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { isFailure, systemClock } from '@svc/core';
import { checkOutboundUrl, createGuardedFetch, type GuardedFetchOptions } from '../../src/index.ts';
import { certificate } from './certificate.ts';
import { acceptedUrls, refusedUrls } from './refused-urls.ts';

const opened: { stop(): void }[] = [];

function listen(server: Server): Promise<number> {
  opened.push({ stop: () => void server.close() });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}

/** A server whose connections are counted and whose answers are written by hand. */
async function rawServer(onRequest: (socket: Socket, request: string) => void) {
  const seen = { connections: 0, requests: [] as string[] };
  const server = createServer((socket) => {
    seen.connections += 1;
    socket.on('error', () => {});
    socket.on('data', (data) => {
      seen.requests.push(data.toString('latin1'));
      onRequest(socket, data.toString('latin1'));
    });
  });
  return { origin: `http://127.0.0.1:${await listen(server)}`, seen };
}

async function httpServer(listener: http.RequestListener) {
  return `http://127.0.0.1:${await listen(http.createServer(listener))}`;
}

function client(options: GuardedFetchOptions) {
  const guarded = createGuardedFetch(options);
  opened.push(guarded);
  return guarded.fetch;
}

async function outcome(call: Promise<Response>): Promise<string> {
  try {
    const response = await call;
    return `${response.status} ${(await response.text()).slice(0, 60)}`;
  } catch (error) {
    if (isFailure(error)) return `${error.code} ${String(error.details['reason'] ?? '')}`.trim();
    return error instanceof Error ? error.name : String(error);
  }
}

const text = (body: string, ...headers: string[]) =>
  `HTTP/1.1 200 OK\r\n${headers.map((header) => `${header}\r\n`).join('')}Content-Length: ${body.length}\r\n\r\n${body}`;

function reasonOf(url: string): unknown {
  try {
    checkOutboundUrl(url);
    return 'accepted';
  } catch (error) {
    return isFailure(error) ? error.details['reason'] : String(error);
  }
}

const cases: Record<string, () => Promise<unknown>> = {
  async urlsThatAreJudgedWrongly() {
    const refused = Object.entries(refusedUrls).flatMap(([reason, urls]) =>
      urls.filter((url) => reasonOf(url) !== reason),
    );
    return [...refused, ...acceptedUrls.filter((url) => reasonOf(url) !== 'accepted')];
  },
  async tlsIsPinnedAndNamed() {
    const server = https.createServer(certificate, (request, response) => {
      response.end(
        `${request.headers.host} ${(request.socket as { servername?: string }).servername}`,
      );
    });
    const port = await listen(server);
    const asked: string[] = [];
    const options = {
      ca: certificate.cert,
      addressCacheMs: 0,
      trustedResolver: async (name: string) => {
        asked.push(name);
        return ['127.0.0.1'];
      },
    };
    const named = client({ ...options, allow: [`https://hooks.example.com:${port}`] });
    const other = client({ ...options, allow: [`https://other.example.com:${port}`] });
    return {
      named: (await outcome(named(`https://hooks.example.com:${port}/`))).replaceAll(
        `${port}`,
        'PORT',
      ),
      otherName: await outcome(other(`https://other.example.com:${port}/`)),
      asked,
    };
  },
  async rebindingIsRefused() {
    const { origin, seen } = await rawServer((socket) => socket.end(text('reached')));
    const port = Number(new URL(origin).port);
    const answers = [
      ['8.8.8.8'],
      ['127.0.0.1'],
      ['8.8.8.8', '127.0.0.1'],
      ['::ffff:127.0.0.1'],
      [],
    ];
    const results: string[] = [];
    for (const answer of answers.slice(1)) {
      const fetch = client({ ports: [port], resolver: async () => answer, addressCacheMs: 0 });
      results.push(await outcome(fetch(`https://rebind.example.com:${port}/`)));
    }
    return { results, connections: seen.connections };
  },
  async aNameThatMovesGetsNoOldConnection() {
    const first = await rawServer((socket) => socket.write(text('first')));
    const url = new URL(first.origin);
    const second = createServer((socket) =>
      socket.on('data', () => socket.write(text('second'))).on('error', () => {}),
    );
    opened.push({ stop: () => void second.close() });
    await new Promise<void>((resolve) => second.listen(Number(url.port), '127.0.0.2', resolve));
    let address = '127.0.0.1';
    const name = `http://moving.example.com:${url.port}`;
    const fetch = client({
      allow: [name],
      trustedResolver: async () => [address],
      addressCacheMs: 0,
    });
    const before = [await outcome(fetch(name)), await outcome(fetch(name))];
    address = '127.0.0.2';
    return [...before, await outcome(fetch(name)), first.seen.connections];
  },
  async theNextAddressIsTried() {
    const { origin } = await rawServer((socket) => socket.end(text('here')));
    const { port } = new URL(origin);
    const name = `http://two.example.com:${port}`;
    const fetch = client({
      allow: [name],
      trustedResolver: async () => ['127.0.0.9', '127.0.0.1'],
    });
    return outcome(fetch(name));
  },
  async redirects() {
    const secret = await rawServer((socket) => socket.end(text('secret')));
    const target = await httpServer((request, response) => {
      response.end(
        `${request.method} ${request.headers.authorization ?? 'none'} ${request.headers.host === undefined ? '' : 'host'}`,
      );
    });
    const source = await httpServer((request, response) => {
      const to =
        request.url === '/private' ? secret.origin : request.url === '/loop' ? '/loop' : target;
      response.writeHead(request.url === '/see' ? 303 : 307, { location: to }).end('moved');
    });
    const none = client({ allow: [source, target] });
    const some = client({ allow: [source, target], maxRedirects: 2 });
    const post = { method: 'POST', body: 'x', headers: { authorization: 'Bearer secret' } };
    return {
      refused: await outcome(none(`${source}/ok`)),
      manual: await outcome(none(`${source}/ok`, { redirect: 'manual' })),
      kept: await outcome(some(`${source}/ok`, post)),
      see: await outcome(some(`${source}/see`, post)),
      loop: await outcome(some(`${source}/loop`)),
      private: await outcome(some(`${source}/private`)),
      error: await outcome(some(`${source}/ok`, { redirect: 'error' })),
      secretReached: secret.seen.connections,
    };
  },
  async sizes() {
    const big = Buffer.alloc(2_000_000, 97);
    const server = await httpServer((request, response) => {
      const encoding = request.url?.slice(1) ?? '';
      if (encoding === 'gzip') response.setHeader('content-encoding', 'gzip').end(gzipSync(big));
      else if (encoding === 'br')
        response.setHeader('content-encoding', 'br').end(brotliCompressSync(big));
      else if (encoding === 'small')
        response.setHeader('content-encoding', 'gzip').end(gzipSync('small'));
      else if (encoding === 'broken') response.setHeader('content-encoding', 'gzip').end('no gzip');
      else if (encoding === 'chunked') {
        response.write(big.subarray(0, 900_000));
        response.end(big);
      } else response.end(big);
    });
    const strict = client({ allow: [server] });
    const cut = client({ allow: [server], maxResponseBytes: 5, cutResponse: true });
    const results: Record<string, string> = {};
    for (const path of ['plain', 'chunked', 'gzip', 'br', 'small', 'broken'])
      results[path] = await outcome(strict(`${server}/${path}`));
    for (const path of ['plain', 'chunked', 'gzip'])
      results[`cut ${path}`] = await outcome(cut(`${server}/${path}`));
    return results;
  },
  async times() {
    const silent = await rawServer(() => {});
    const trickling = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n');
      const drip = async () => {
        while (!socket.destroyed) {
          socket.write('x');
          await systemClock.sleep(20);
        }
      };
      void drip();
    });
    const slowHead = await rawServer((socket) => {
      const drip = async () => {
        socket.write('HTTP/1.1 200 OK\r\n');
        for (let i = 0; !socket.destroyed; i += 1) {
          socket.write(`x-${i}: y\r\n`);
          await systemClock.sleep(20);
        }
      };
      void drip();
    });
    // Accepts, and never shakes hands.
    const { port } = new URL(silent.origin);
    const mute = `https://127.0.0.1:${port}`;
    const fetch = client({
      allow: [silent.origin, trickling.origin, slowHead.origin, mute],
      connectTimeoutMs: 300,
      headersTimeoutMs: 400,
      timeoutMs: 600,
    });
    const startedAtMs = systemClock.elapsedMs();
    const results = await Promise.all(
      [mute, silent.origin, slowHead.origin, trickling.origin].map((origin) =>
        outcome(fetch(origin)),
      ),
    );
    const tookMs = systemClock.elapsedMs() - startedAtMs;
    return { results, inTime: tookMs >= 590 && tookMs < 3000 };
  },
  async aborting() {
    const silent = await rawServer(() => {});
    const fetch = client({ allow: [silent.origin] });
    const over = new AbortController();
    const waiting = outcome(fetch(silent.origin, { signal: over.signal }));
    void systemClock.sleep(50).then(() => over.abort(new RangeError('enough')));
    return [await waiting, await outcome(fetch(silent.origin, { signal: over.signal }))];
  },
  async nonsense() {
    const results: Record<string, string> = {};
    const answers = {
      noHttp: 'hello\r\n\r\n',
      ended: '',
      upgrade:
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
      lyingLength: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort',
      twoLengths: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc',
      status: 'HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n',
      hugeHead: `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(600_000)}\r\nContent-Length: 0\r\n\r\n`,
    };
    for (const [name, answer] of Object.entries(answers)) {
      const server = await rawServer((socket) => socket.end(answer));
      results[name] = await outcome(
        client({ allow: [server.origin], timeoutMs: 3000 })(server.origin),
      );
    }
    return results;
  },
  async whatIsSent() {
    const echo = await httpServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const {
          'user-agent': agent,
          'x-request-id': id,
          traceparent,
          'content-type': type,
          'content-length': length,
        } = request.headers;
        response.setHeader('set-cookie', ['a=1', 'b=2']);
        response.end(
          JSON.stringify([
            request.method,
            agent,
            id,
            traceparent,
            type,
            length,
            Buffer.concat(chunks).toString(),
          ]),
        );
      });
    });
    const fetch = client({
      allow: [echo],
      userAgent: 'projects/1',
      context: () => ({ requestId: 'request-1', traceHeaders: { traceparent: '00-a-b-01' } }),
    });
    const lines: unknown[] = [];
    const send = async (init: RequestInit) =>
      lines.push(JSON.parse(await (await fetch(echo, init)).text()));
    await send({});
    await send({ method: 'POST', body: 'text' });
    await send({
      method: 'PUT',
      body: new URLSearchParams({ a: 'b c' }),
      headers: { 'User-Agent': 'mine' },
    });
    await send({ method: 'POST', body: new Blob(['blob']), headers: { 'content-type': 'a/b' } });
    const response = await fetch(
      new Request(`${echo}/x?y`, { method: 'POST', body: 'of a request' }),
    );
    return { lines, cookies: response.headers.getSetCookie(), url: response.url.replace(echo, '') };
  },
  async injection() {
    const server = await rawServer((socket) => socket.end(text('reached')));
    const fetch = client({ allow: [server.origin] });
    const results: string[] = [];
    const tries: RequestInit[] = [
      { headers: { Host: 'internal' } },
      { headers: { 'Transfer-Encoding': 'chunked' } },
      { headers: { 'Content-Length': '1' }, method: 'POST', body: 'GET / HTTP/1.1' },
      { headers: { Connection: 'upgrade' } },
      { headers: { 'x-a': 'b\r\nx-c: d' } },
      { method: 'CONNECT' },
      { method: 'GET / HTTP/1.1\r\nx' },
      { body: 'x' },
    ];
    for (const init of tries) results.push(await outcome(fetch(server.origin, init)));
    return { results, connections: server.seen.connections };
  },
  async deadlines() {
    const silent = await rawServer(() => {});
    const at = (deadlineAtMs: number) =>
      client({ allow: [silent.origin], context: () => ({ deadlineAtMs }) })(silent.origin);
    const nowMs = systemClock.elapsedMs();
    return [await outcome(at(nowMs - 1)), await outcome(at(nowMs + 100)), silent.seen.connections];
  },
  async connectionsAreKept() {
    const server = await rawServer((socket) => socket.write(text('kept')));
    const fetch = client({ allow: [server.origin] });
    for (let i = 0; i < 20; i += 1) await (await fetch(server.origin)).text();
    return server.seen.connections;
  },
};

const results: Record<string, unknown> = {};
for (const [name, run] of Object.entries(cases)) results[name] = await run();
for (const each of opened) each.stop();
process.stdout.write(`${JSON.stringify(results)}\n`, () => process.exit(0));
