import { connect, type Socket } from 'node:net';
import { Agent, request } from 'node:http';
import { systemClock } from '@svc/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRaw } from '../src/testing.ts';
import { type Program, shownRuntimes, startService } from './start-program.ts';

const megabyte = 1024 * 1024;
const post = (path: string, ...headers: string[]) =>
  `POST ${path} HTTP/1.1\r\nHost: test\r\nContent-Type: text/plain\r\n${headers.map((h) => `${h}\r\n`).join('')}\r\n`;
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`;
const chunked = 'Transfer-Encoding: chunked';

/** Sends a chunked body as fast as the socket takes it, until the server closes. */
async function pour(socket: Socket, bytes: number): Promise<number> {
  const piece = Buffer.concat([
    Buffer.from('10000\r\n'),
    Buffer.alloc(65_536, 97),
    Buffer.from('\r\n'),
  ]);
  let wake = () => {};
  socket.on('drain', () => wake()).on('close', () => wake());
  let sent = 0;
  for (; sent < bytes && !socket.destroyed; sent += 65_536) {
    if (!socket.write(piece)) await new Promise<void>((resolve) => (wake = resolve));
  }
  if (!socket.destroyed) socket.write('0\r\n\r\n');
  return sent;
}

/** Sends a byte every 50 ms until the server closes, at most for 10 s; the milliseconds it took. */
async function trickle(socket: Socket): Promise<number> {
  const startedAtMs = systemClock.elapsedMs();
  const elapsedMs = () => systemClock.elapsedMs() - startedAtMs;
  while (!socket.destroyed && elapsedMs() < 10_000) {
    socket.write('x');
    await systemClock.sleep(50);
  }
  return elapsedMs();
}

/** A connection that stays as it is whatever comes back. */
function open(port: number) {
  let received = '';
  const socket = connect(port, '127.0.0.1');
  // What there is with the first bytes, or nothing when it is closed before any.
  const answered = new Promise<string>((resolve) => {
    socket.once('data', (chunk) => resolve(chunk.toString('latin1')));
    socket.once('close', () => resolve(received));
  });
  socket.on('data', (chunk) => (received += chunk.toString('latin1'))).on('error', () => {});
  return { socket, answered, received: () => received };
}

describe.each(shownRuntimes)('a server on %s', (runtime) => {
  let service: Program;
  beforeAll(async () => {
    service = await startService(runtime);
  });
  afterAll(() => service[Symbol.asyncDispose]());
  const send = (bytes: Parameters<typeof sendRaw>[1]) => sendRaw(service.port, bytes);

  it('refuses a 300 MB chunked body without holding it', async () => {
    // Growth is that over a service which has served ordinary bodies, not one that has compiled nothing yet.
    for (let i = 0; i < 30; i++) {
      const answer = await send(async (socket) => {
        socket.write(post('/size', chunked));
        await pour(socket, megabyte / 2);
      });
      expect(answer.body).toContain(String(megabyte / 2));
    }
    const before = service.peakMemory();
    for (const path of ['/size', '/swallow', '/size']) {
      const { socket, answered } = open(service.port);
      socket.write(post(path, chunked));
      const sent = await pour(socket, 300 * megabyte);
      // Bun reads a refused body to its end, into nothing; there is no way to close one of its connections.
      if (runtime === 'node') expect(sent).toBeLessThan(128 * megabyte);
      expect(await answered).toMatch(/^HTTP\/1.1 413 /);
      socket.destroy();
    }
    expect((service.peakMemory() - before) / megabyte).toBeLessThan(80);
  });

  it('gets a 413 to a client that sends all of 20 MB before it reads, in at least 95 of 100 tries', async () => {
    let arrived = 0;
    for (let i = 0; i < 100; i++) {
      const { socket, answered } = open(service.port);
      socket.pause();
      socket.write(post('/size', chunked));
      await pour(socket, 20 * megabyte);
      socket.resume();
      if ((await answered).startsWith('HTTP/1.1 413 ')) arrived += 1;
      socket.destroy();
    }
    expect(arrived).toBeGreaterThanOrEqual(95);
  }, 60_000);

  it('refuses a declared length over the limit, and answers early refusals of a handler that did not read', async () => {
    const declared = await send(async (socket) => {
      socket.write(post('/size', `Content-Length: ${20 * megabyte}`));
      for (let i = 0; i < 20 && !socket.destroyed; i++) socket.write(Buffer.alloc(megabyte));
    });
    expect(declared.status).toBe(413);
    const unread = await send(async (socket) => {
      socket.write(post('/unread', chunked));
      await pour(socket, 20 * megabyte);
    });
    expect(unread.status).toBe(401);
  });

  it('refuses a request with two lengths, and one that ends early is no request', async () => {
    const two = await send(`${post('/size', 'Content-Length: 3', chunked)}5\r\nhello\r\n0\r\n\r\n`);
    expect(two.status).toBe(400);
    const early = await send(
      (socket) => void socket.end(`${post('/size', 'Content-Length: 5')}he`),
    );
    expect([0, 400]).toContain(early.status);
    expect((await send(get('/address'))).status).toBe(200);
    expect(service.said.some((line) => 'unexpected' in line)).toBe(false);
  });

  it.each([
    ['a length and chunks', 'Content-Length: 4\r\nTransfer-Encoding: chunked'],
    ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 4'],
    ['chunks that are not last', 'Transfer-Encoding: chunked, identity'],
    ['an unknown coding', 'Transfer-Encoding: xchunked'],
    ['a space before the colon', 'Transfer-Encoding : chunked'],
    ['a signed length', 'Content-Length: +4'],
    ['a length in hexadecimal', 'Content-Length: 0x4'],
    ['two lengths in one', 'Content-Length: 4, 5'],
    ['a negative length', 'Content-Length: -1'],
    ['a folded header', 'X-A: b\r\n Transfer-Encoding: chunked'],
    ['a header without a colon', 'Transfer-Encoding'],
  ])('hears no second request behind one with %s', async (_, header) => {
    const smuggled = `0\r\n\r\nGET /address HTTP/1.1\r\nHost: test\r\nX-Smuggled: `;
    const { socket, answered, received } = open(service.port);
    socket.write(`POST /size HTTP/1.1\r\nHost: test\r\n${header}\r\n\r\n${smuggled}x\r\n\r\n`);
    const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
    await answered;
    // A server that is told that nothing more comes answers what it has heard, and closes.
    socket.end();
    await closed;
    expect(received()).not.toContain('"address"');
  });

  it('answers 408 to a body that stops, and to one that trickles, and lets go of the connection', async () => {
    const stopped = await send(`${post('/size', 'Content-Length: 5')}he`);
    expect([stopped.status, stopped.body]).toEqual([408, '{"code":"http.body_timeout"}']);
    const swallowed = await send(`${post('/swallow', 'Content-Length: 5')}he`);
    expect(swallowed.status).toBe(408);
    const { socket, received } = open(service.port);
    socket.write(post('/size', 'Content-Length: 5000'));
    expect(await trickle(socket)).toBeLessThan(5000);
    expect(received()).toMatch(/^HTTP\/1.1 408 /);
  });

  it('lets go of a client that never ends its headers', async () => {
    const { socket, received } = open(service.port);
    socket.write('GET / HTTP/1.1\r\nHost: test\r\nX-Slow: ');
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    await trickleOrClosed(socket, closed);
    expect(socket.destroyed).toBe(true);
    if (runtime === 'node') expect(received()).toMatch(/^HTTP\/1.1 408 [\s\S]*x-request-id: /);
  }, 25_000);

  it('answers 504 for a slow handler, whose signal is aborted', async () => {
    const answer = await send(get('/slow'));
    expect([answer.status, answer.body]).toEqual([504, '{"code":"http.handler_timeout"}']);
    expect(await service.heard('aborted')).toBe(true);
  });

  it('aborts the signal of a handler whose client has left', async () => {
    const { socket } = open(service.port);
    socket.write(get('/watched'));
    await service.heard('watching');
    socket.destroy();
    expect(await service.heard('left')).toBe(true);
  });

  it('lets a handler wait longer than a client may for its headers', async () => {
    expect((await send(get('/wait?ms=4500'))).body).toBe('waited');
  });

  it('tells the address of the socket, also behind the body limit', async () => {
    expect(JSON.parse((await send(get('/address'))).body)).toEqual({ address: '127.0.0.1' });
  });

  it('answers a bare problem with a request id when no app answers', async () => {
    const answer = await send(get('/outside'));
    expect(answer.status).toBe(500);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(answer.body)).toMatchObject({
      status: 500,
      code: 'http.internal',
      request_id: answer.headers['x-request-id'],
    });
  });
});

// Bun answers these by itself, without a body, and cannot be told otherwise.
describe('a server on node', () => {
  it('answers a problem to what is not HTTP', async () => {
    await using service = await startService('node');
    const big = `GET / HTTP/1.1\r\nHost: test\r\nBig: ${'x'.repeat(100_000)}\r\n\r\n`;
    for (const [bytes, status] of [
      ['NOT HTTP\r\n\r\n', 400],
      [big, 431],
    ] as const) {
      const answer = await sendRaw(service.port, bytes);
      expect(answer.status).toBe(status);
      expect(JSON.parse(answer.body).request_id).toBe(answer.headers['x-request-id']);
    }
  });
});

describe.each(shownRuntimes)('a graceful stop on %s', (runtime) => {
  it('finishes what is in flight, refuses new connections, closes in reverse and exits with 0', async () => {
    await using service = await startService(runtime);
    const inFlight = sendRaw(service.port, get('/wait?ms=1000'));
    await service.heard('waiting');
    service.kill('SIGTERM');
    await service.heard('message');
    const refused = await sendRaw(service.port, get('/address'));
    expect(refused.status).toBe(0);
    const answer = await inFlight;
    expect([answer.status, answer.body]).toEqual([200, 'waited']);
    if (runtime === 'node') expect(answer.headers['connection']).toBe('close');
    expect(await service.exited()).toBe(0);
    expect(service.said.flatMap((line) => line['closed'] ?? [])).toEqual(['second', 'first']);
  });

  it('is not held up by a connection that is kept alive', async () => {
    await using service = await startService(runtime, '8000');
    const agent = new Agent({ keepAlive: true });
    await new Promise<void>((resolve, reject) => {
      request({ port: service.port, path: '/address', agent }, (answer) => {
        answer.resume().on('end', resolve);
      })
        .on('error', reject)
        .end();
    });
    const startedAtMs = systemClock.elapsedMs();
    service.kill('SIGINT');
    expect(await service.exited()).toBe(0);
    expect(systemClock.elapsedMs() - startedAtMs).toBeLessThan(3000);
    agent.destroy();
  });

  it('cuts off what has not finished, and ends by the deadline though something hangs', async () => {
    await using service = await startService(runtime, '2000', '--hang');
    const cut = sendRaw(service.port, get('/wait?ms=20000'));
    await service.heard('waiting');
    const startedAtMs = systemClock.elapsedMs();
    service.kill('SIGTERM');
    expect(await service.exited()).toBe(1);
    expect(systemClock.elapsedMs() - startedAtMs).toBeLessThan(2500);
    expect((await cut).status).toBe(0);
  });

  it('exits with 1 at once on a second signal', async () => {
    await using service = await startService(runtime, '20000');
    const cut = sendRaw(service.port, get('/wait?ms=20000'));
    await service.heard('waiting');
    service.kill('SIGTERM');
    await service.heard('message');
    service.kill('SIGTERM');
    expect(await service.exited()).toBe(1);
    await cut;
  });
});

async function trickleOrClosed(socket: Socket, closed: Promise<void>) {
  const beat = async () => {
    while (!socket.destroyed) {
      socket.write('x');
      await systemClock.sleep(200);
    }
  };
  await Promise.race([beat(), closed, systemClock.sleep(20_000)]);
}
