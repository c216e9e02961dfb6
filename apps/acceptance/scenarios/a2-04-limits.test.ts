import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { baseUrl, control, expectProblem, request, signUpInTenant } from './client.ts';

const { hostname, port, host } = new URL(baseUrl);

test('a body over the limit is refused with 413, when its length is declared', async () => {
  const { token } = await signUpInTenant();
  const answer = await request('/projects', {
    as: token,
    body: JSON.stringify({ name: 'x'.repeat(2_000_000) }),
    headers: { 'content-type': 'application/json' },
  });
  await expectProblem(answer, 413);
});

test('a chunked body over the limit is refused with 413 before it has ended', async () => {
  const answer = await raw([
    `POST /auth/login HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    ...Array.from({ length: 40 }, () => `10000\r\n${'x'.repeat(0x10000)}\r\n`),
    // No last chunk: only a limit that counts as it streams can answer.
  ]);
  expect(answer.head).toMatch(/^HTTP\/1\.1 413 /);
  expect(answer.head.toLowerCase()).toContain('content-type: application/problem+json');
  expect(answer.head.toLowerCase()).toMatch(/x-request-id: [\w.-]{8,}/);
});

test('a body that does not arrive is answered with 408', async () => {
  const answer = await raw([
    `POST /auth/login HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"email":`,
  ]);
  expect(answer.head).toMatch(/^HTTP\/1\.1 408 /);
  expect(answer.head.toLowerCase()).toContain('content-type: application/problem+json');
});

test('a body that trickles is answered with 408, too', async () => {
  const answer = await raw(
    [
      `POST /auth/login HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`,
      ...Array.from({ length: 60 }, () => 'x'),
    ],
    100,
  );
  expect(answer.head).toMatch(/^HTTP\/1\.1 408 /);
});

test('a handler that takes too long is answered with 504, and is really cut off', async () => {
  const key = crypto.randomUUID();
  const aborted = async () =>
    ((await (await request('/_acceptance/aborted')).json()) as { aborted: string[] }).aborted;
  const startedAt = performance.now();
  await expectProblem(await request(`/_acceptance/slow?ms=20000&key=${key}`), 504);
  expect(performance.now() - startedAt).toBeLessThan(5000);
  expect(await aborted()).toContain(key);
});

test('the app is well after all of that', async () => {
  expect((await request('/readyz')).status).toBe(200);
  expect(await control('app/log')).not.toMatch(/uncaught|unhandled/i);
});

/** Sends parts as they are, `pauseMs` apart, and reads the head of the answer. */
function raw(parts: readonly string[], pauseMs = 0): Promise<{ head: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.setTimeout(15_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (data) => {
      received += data.toString('latin1');
      const end = received.indexOf('\r\n\r\n');
      if (end === -1) return;
      resolve({ head: received.slice(0, end) });
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () =>
      reject(new Error(`closed without an answer: ${received.slice(0, 100)}`)),
    );
    const send = (index: number) => {
      const part = parts[index];
      if (part === undefined || socket.destroyed) return;
      socket.write(part, () =>
        pauseMs === 0 ? send(index + 1) : setTimeout(() => send(index + 1), pauseMs),
      );
    };
    socket.once('connect', () => send(0));
  });
}
