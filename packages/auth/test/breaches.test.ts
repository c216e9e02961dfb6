import { createHash } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { testClock } from '@svc/core/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { haveIBeenPwned } from '../src/index.ts';
import { describeBreachList } from '../src/testing.ts';

const password = 'seven quiet otters at dawn';
const keyOf = (text: string) => createHash('sha1').update(text).digest('hex').toUpperCase();
const suffix = keyOf(password).slice(5);
const padding = `${'0'.repeat(35)}:0`;

/** A server that answers a range. */
async function serve(answer: RequestListener) {
  const seen: { url: string | undefined; headers: Record<string, unknown> }[] = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url, headers: request.headers });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(stop);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/range/`;
  return { url, seen, stop, list: haveIBeenPwned({ fetch, url }) };
}

const rows = (...lines: string[]): RequestListener => {
  return (_, response) => void response.end([padding, ...lines].join('\r\n'));
};

describeBreachList('Have I Been Pwned', async (listed) => {
  const keys = listed.map(keyOf);
  const { list, stop } = await serve((request, response) => {
    const prefix = request.url?.slice(-5) ?? '';
    const found = keys.filter((key) => key.startsWith(prefix));
    rows(...found.map((key) => `${key.slice(5)}:1`))(request, response);
  });
  return { list, breakDown: stop };
});

describe('Have I Been Pwned', () => {
  test('the list is told five characters of the hash, asked to pad, and nothing else', async () => {
    const { list, seen } = await serve(rows(`${suffix}:3`));
    expect(await list.isBreached(password)).toBe(true);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({
      url: `/range/${keyOf(password).slice(0, 5)}`,
      headers: { 'add-padding': 'true' },
    });
    const sent = JSON.stringify(seen).toUpperCase();
    expect(sent).not.toContain(keyOf(password).slice(0, 6));
    expect(sent).not.toContain(suffix);
  });

  test('a password is listed by its whole hash, in either case, in NFC', async () => {
    const other = `${suffix.slice(0, -1)}${suffix.endsWith('0') ? '1' : '0'}`;
    expect(await (await serve(rows(`${other}:9`))).list.isBreached(password)).toBe(false);
    const lower = await serve(rows(`${suffix.toLowerCase()}:1`));
    expect(await lower.list.isBreached(password)).toBe(true);
    const accented = await serve(rows(`${keyOf('caf\u00e9').slice(5)}:1`));
    expect(await accented.list.isBreached('cafe\u0301')).toBe(true);
  });

  test('a row with count 0 is padding', async () => {
    const { list } = await serve(rows(`${suffix}:0`));
    expect(await list.isBreached(password)).toBe(false);
  });

  test.each<[string, RequestListener, string]>([
    ['an error', (_, response) => void response.writeHead(503).end(), 'answered 503'],
    [
      'a page of something in between',
      (_, response) => void response.end('<html>Log in to the hotel</html>'),
      'something else than a range',
    ],
    [
      'more than 256 KiB',
      (_, response) => void response.end(`${padding}\r\n`.repeat(10_000)),
      'more than 262144 bytes',
    ],
    [
      'a redirect',
      (request, response) =>
        void (request.url?.startsWith('/elsewhere') === true
          ? response.end(`${suffix}:1`)
          : response.writeHead(302, { location: `/elsewhere${request.url}` }).end()),
      'could not be reached',
    ],
    ['a torn connection', (request) => void request.socket.destroy(), 'could not be reached'],
  ])('%s is no answer', async (_, answer, message) => {
    const { list, seen } = await serve(answer);
    const error = await list.isBreached(password).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain(message);
    expect(seen).toHaveLength(1);
    expect(String(error)).not.toMatch(new RegExp(keyOf(password).slice(0, 5), 'i'));
  });

  test('a server that nobody runs is no answer, and the error says why', async () => {
    const { list, stop } = await serve(rows());
    await stop();
    await expect(list.isBreached(password)).rejects.toThrow(
      'The breach list could not be reached: ECONNREFUSED.',
    );
  });

  test('after a second the answer is not waited for, also not by a fetch that heeds no signal', async () => {
    const clock = testClock();
    let signal: AbortSignal | null | undefined;
    const deaf: typeof fetch = (_, init) => {
      signal = init?.signal;
      return new Promise(() => {});
    };
    const answer = haveIBeenPwned({ fetch: deaf, clock }).isBreached(password);
    const outcome = expect(answer).rejects.toThrow('The breach list took more than 1000 ms.');
    await clock.advance('999ms');
    expect(signal?.aborted).toBe(false);
    await clock.advance('1ms');
    await outcome;
    expect(signal?.aborted).toBe(true);
  });

  test('after an answer nothing waits any more', async () => {
    const clock = testClock();
    const { url } = await serve(rows(`${suffix}:3`));
    await haveIBeenPwned({ fetch, url, clock }).isBreached(password);
    expect(clock.sleeping).toBe(0);
  });

  test.each([
    { url: 'ftp://api.pwnedpasswords.com/' },
    { url: 'https://api.pwnedpasswords.com/range/?a=b' },
    { timeoutMs: 0 },
    { fetch: undefined as unknown as typeof fetch },
  ])('an unusable option is a bug of the caller: %o', (options) => {
    expect(() => haveIBeenPwned({ fetch, ...options })).toThrow(TypeError);
  });
});
