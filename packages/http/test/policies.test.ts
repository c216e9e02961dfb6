import { failure, isFailure } from '@svc/core';
import { testClock } from '@svc/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CallTimeout,
  createBreaker,
  createBulkhead,
  createPolicy,
  parseRetryAfter,
  resilientFetch,
} from '../src/index.ts';
import { backoffMs } from '../src/resilience/retry.ts';

class Down extends failure('test.down', 'unavailable', 'Down.') {}
class Refused extends failure('test.refused', 'forbidden', 'No.') {}

const codeOf = (call: Promise<unknown>) =>
  call.then(String, (error: unknown) => (isFailure(error) ? error.code : String(error)));

/** Lets time pass until it has ended. */
async function settled<T>(clock: ReturnType<typeof testClock>, call: Promise<T>): Promise<T> {
  let done = false;
  const end = () => (done = true);
  call.then(end, end);
  for (let i = 0; i < 10_000 && !done; i += 1) await clock.advance('100ms');
  return call;
}

describe('a policy', () => {
  it('tries again what may be gone the next time, and only that', async () => {
    const clock = testClock();
    const policy = createPolicy({ name: 'x', retry: { attempts: 3 }, clock });
    const tries = { down: 0, refused: 0, once: 0, healed: 0 };
    const run = (name: keyof typeof tries, error: Error, idempotent = true) =>
      settled(
        clock,
        codeOf(
          policy.run(
            async ({ number }) => {
              tries[name] += 1;
              if (name === 'healed' && number === 2) return 'well';
              throw error;
            },
            { idempotent },
          ),
        ),
      );
    expect(await run('down', new Down())).toBe('test.down');
    expect(await run('refused', new Refused())).toBe('test.refused');
    expect(await run('once', new Down(), false)).toBe('test.down');
    expect(await run('healed', new Down())).toBe('well');
    expect(tries).toEqual({ down: 3, refused: 1, once: 1, healed: 2 });
  });

  it('adds at most a tenth to the load of an outage', async () => {
    const clock = testClock();
    const policy = createPolicy({ name: 'x', retry: { attempts: 5, baseMs: 1 }, clock });
    let tries = 0;
    const ill = async () => {
      tries += 1;
      throw new Down();
    };
    for (let round = 0; round < 100; round += 1)
      await settled(clock, Promise.all(Array.from({ length: 100 }, () => codeOf(policy.run(ill)))));
    // Ten are saved up in good times.
    expect(tries).toBeGreaterThan(10_900);
    expect(tries).toBeLessThanOrEqual(11_010);
  });

  it('waits as long as Retry-After asks for, up to a limit', async () => {
    const clock = testClock();
    const at = async (retryAfterSeconds: number) => {
      const policy = createPolicy({
        name: 'x',
        retry: { attempts: 2, maxRetryAfterMs: 30_000 },
        clock,
      });
      const startedAtMs = clock.elapsedMs();
      let againAtMs = 0;
      const run = policy.run(async ({ number }) => {
        if (number === 1) throw new Down({ retryAfterSeconds });
        againAtMs = clock.elapsedMs();
        return 'well';
      });
      await settled(clock, run);
      return againAtMs - startedAtMs;
    };
    expect(await at(7)).toBeGreaterThanOrEqual(7000);
    expect(await at(7)).toBeLessThan(7200);
    expect(await at(86_400)).toBeGreaterThanOrEqual(30_000);
    expect(await at(86_400)).toBeLessThan(30_200);
  });

  it('ends a try at its time limit, tells it, and leaves no place taken', async () => {
    const clock = testClock();
    const bulkhead = createBulkhead({ maxConcurrent: 1 });
    const breaker = createBreaker({ name: 'x', failures: 2, clock });
    const policy = createPolicy({ name: 'x', timeoutMs: 1000, bulkhead, breaker, clock });
    const signals: AbortSignal[] = [];
    for (let i = 0; i < 2; i += 1) {
      const deaf = policy.run(({ signal }) => {
        signals.push(signal);
        return new Promise(() => {});
      });
      expect(await settled(clock, codeOf(deaf))).toBe(CallTimeout.code);
    }
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect([bulkhead.active, breaker.state]).toEqual([0, 'open']);
    expect(clock.elapsedMs()).toBeLessThan(2500);
  });

  it('stops when its caller gives up, in a try and between two, and blames nobody', async () => {
    const clock = testClock();
    const breaker = createBreaker({ name: 'x', failures: 1, clock });
    const policy = createPolicy({ name: 'x', retry: { baseMs: 1e6, maxMs: 1e6 }, breaker, clock });
    const inTry = new AbortController();
    const running = codeOf(policy.run(() => new Promise(() => {}), { signal: inTry.signal }));
    inTry.abort(new RangeError('enough'));
    expect(await running).toBe('RangeError: enough');
    expect(breaker.state).toBe('closed');

    const between = new AbortController();
    const waiting = codeOf(
      createPolicy({ name: 'y', retry: { baseMs: 1e6, maxMs: 1e6 }, clock }).run(
        () => Promise.reject(new Down()),
        { signal: between.signal },
      ),
    );
    await clock.advance('1ms');
    between.abort(new RangeError('enough'));
    expect(await waiting).toBe('RangeError: enough');
    expect(clock.sleeping).toBe(0);
  });

  it('leaves no place taken and no rejection unhandled after thousands of random faults', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    const clock = testClock();
    const bulkhead = createBulkhead({ maxConcurrent: 5, maxWaiting: 10 });
    const breaker = createBreaker({ name: 'x', clock, openMs: 10 });
    const policy = createPolicy({ name: 'x', timeoutMs: 50, retry: {}, breaker, bulkhead, clock });
    const kinds = fc.sample(fc.constantFrom('ok', 'down', 'refused', 'throws', 'late', 'deaf'), {
      numRuns: 10_000,
      seed: 7,
    });
    for (let at = 0; at < kinds.length; at += 50) {
      const calls = kinds.slice(at, at + 50).map((kind) =>
        codeOf(
          policy.run(({ signal }): Promise<unknown> => {
            if (kind === 'throws') throw new Error('at once');
            if (kind === 'ok') return Promise.resolve(signal);
            if (kind === 'deaf') return new Promise(() => {});
            if (kind === 'late') return clock.sleep(80).then(() => Promise.reject(new Down()));
            return Promise.reject(kind === 'down' ? new Down() : new Refused());
          }),
        ),
      );
      await settled(clock, Promise.all(calls));
    }
    await clock.advance('10s');
    process.off('unhandledRejection', note);
    expect([bulkhead.active, bulkhead.waiting, unhandled.length]).toEqual([0, 0, 0]);
  });
});

describe('a resilient fetch', () => {
  const answers = (...statuses: number[]) => {
    const seen: string[] = [];
    const fetch = async (_url: string, init: RequestInit = {}) => {
      seen.push(init.method ?? 'GET');
      return new Response(null, {
        status: statuses[Math.min(seen.length, statuses.length) - 1] as number,
        headers: { 'Retry-After': '2' },
      });
    };
    return { fetch, seen };
  };
  const send = async (statuses: number[], init?: RequestInit) => {
    const clock = testClock();
    const { fetch, seen } = answers(...statuses);
    const breaker = createBreaker({ name: 'x', failures: 3, clock });
    const policy = createPolicy({ name: 'x', retry: {}, breaker, clock });
    const response = await settled(
      clock,
      resilientFetch(fetch, { policy, clock })('https://a.example/', init),
    );
    return [
      response.status,
      seen.length,
      clock.elapsedMs() >= 2000 * (seen.length - 1),
      breaker.state,
    ];
  };

  it('repeats what is harmless after 429 and 5xx, and returns the last answer', async () => {
    expect(await send([503, 429, 200])).toEqual([200, 3, true, 'closed']);
    expect(await send([500])).toEqual([500, 3, true, 'open']);
    expect(await send([404])).toEqual([404, 1, true, 'closed']);
    expect(await send([503, 200], { method: 'DELETE' })).toEqual([200, 2, true, 'closed']);
  });

  it('repeats a POST only under an Idempotency-Key', async () => {
    expect(await send([503, 200], { method: 'POST', body: 'x' })).toEqual([503, 1, true, 'closed']);
    const headers = { 'Idempotency-Key': '1' };
    expect(await send([503, 200], { method: 'POST', headers })).toEqual([200, 2, true, 'closed']);
  });
});

describe('the arithmetic of waiting', () => {
  it('stays between nothing and its bound', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, share) => {
          const ms = backoffMs(attempt, 100, 5000, share);
          expect(ms >= 0 && ms < Math.min(5000, 100 * 2 ** (attempt - 1))).toBe(true);
        },
      ),
    );
  });

  it('reads Retry-After in its two forms and no other', () => {
    const now = new Date('2026-01-01T00:00:00Z');
    expect(parseRetryAfter('120', now)).toBe(120);
    expect(parseRetryAfter('Thu, 01 Jan 2026 00:02:00 GMT', now)).toBe(120);
    expect(parseRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(0);
    for (const text of [
      '',
      '-1',
      '1.5',
      '1e3',
      ' 5',
      '2026-01-01',
      'Thu, 99 Foo 2026 00:00:00 GMT',
      null,
    ])
      expect(parseRetryAfter(text, now)).toBeUndefined();
  });
});
