import { failure, isFailure } from '@svc/core';
import { recordEvents, testClock } from '@svc/core/testing';
import { describe, expect, it } from 'vitest';
import {
  breakerChanged,
  CircuitOpen,
  createBreaker,
  createBulkhead,
  TooManyCalls,
} from '../src/index.ts';
import { breakerGuard, bulkheadGuard } from '../src/hono.ts';
import { problemIn, testApp } from './test-app.ts';

class Gone extends failure('test.gone', 'gone', 'Gone.') {}
class Down extends failure('test.down', 'unavailable', 'Down.') {}

const ill = () => Promise.reject(new Error('ill'));
const well = () => Promise.resolve('well');
const codeOf = (call: Promise<unknown>) =>
  call.then(String, (error: unknown) => (isFailure(error) ? error.code : 'error'));

function setUp(options = {}) {
  const clock = testClock();
  const breaker = createBreaker({
    name: 'upstream',
    failures: 3,
    samples: 10,
    openMs: 1000,
    clock,
    ...options,
  });
  const fail = async (times: number) => {
    for (let i = 0; i < times; i += 1) await codeOf(breaker.run(ill));
  };
  return { clock, breaker, fail };
}

describe('a circuit breaker', () => {
  it('opens, refuses without calling, lets one through, and closes when that succeeds', async () => {
    const { clock, breaker, fail } = setUp();
    using seen = recordEvents(breakerChanged);
    await fail(3);
    expect(breaker.state).toBe('open');
    let calls = 0;
    const counted = async () => (calls += 1);
    const refusal = await breaker.run(counted).catch((error: unknown) => error);
    expect(isFailure(refusal, CircuitOpen) && refusal.details.retryAfterSeconds).toBe(1);
    expect(calls).toBe(0);

    await clock.advance('1s');
    let finish: (value: unknown) => void = () => {};
    const trial = breaker.run(() => new Promise((resolve) => (finish = resolve)));
    const others = Array.from({ length: 50 }, () => codeOf(breaker.run(counted)));
    expect(new Set(await Promise.all(others))).toEqual(new Set(['http.circuit_open']));
    expect([calls, breaker.state]).toEqual([0, 'half-open']);
    finish('well');
    await trial;
    expect(breaker.state).toBe('closed');
    expect(seen.events.map(({ instance, payload }) => [instance, payload.to])).toEqual([
      ['upstream', 'open'],
      ['upstream', 'half-open'],
      ['upstream', 'closed'],
    ]);
  });

  it('opens again when the one fails', async () => {
    const { clock, breaker, fail } = setUp();
    await fail(3);
    await clock.advance('1s');
    await fail(1);
    expect(breaker.state).toBe('open');
    expect(await codeOf(breaker.run(well))).toBe('http.circuit_open');
    await clock.advance('1s');
    expect(await codeOf(breaker.run(well))).toBe('well');
  });

  it('lets another one look when the first never ends, and hears the late one no more', async () => {
    const { clock, breaker, fail } = setUp({ failures: 1 });
    await fail(1);
    await clock.advance('1s');
    const hung = breaker.admit();
    await clock.advance('1s');
    expect(await codeOf(breaker.run(well))).toBe('well');
    hung.failed(new Error('late'));
    expect(breaker.state).toBe('closed');
  });

  it('lets the next one look when the first did not call', async () => {
    const { clock, breaker, fail } = setUp();
    await fail(3);
    await clock.advance('1s');
    breaker.admit().released();
    expect(await codeOf(breaker.run(well))).toBe('well');
  });

  it('opens on a share of failures as well, and forgets old ones', async () => {
    const { breaker, fail } = setUp();
    for (let i = 0; i < 2; i += 1) {
      await fail(1);
      await breaker.run(well);
    }
    expect(breaker.state).toBe('closed');
    await fail(1);
    expect(breaker.state).toBe('open');

    const patient = setUp();
    for (let i = 0; i < 20; i += 1) {
      await patient.fail(1);
      for (let calls = 0; calls < 5; calls += 1) await patient.breaker.run(well);
    }
    expect(patient.breaker.state).toBe('closed');
  });

  it('does not count refusals of what was asked', async () => {
    const { breaker } = setUp();
    for (let i = 0; i < 20; i += 1) await codeOf(breaker.run(() => Promise.reject(new Gone())));
    expect(breaker.state).toBe('closed');
    for (let i = 0; i < 3; i += 1) await codeOf(breaker.run(() => Promise.reject(new Down())));
    expect(breaker.state).toBe('open');
  });

  it('with a probe risks no call, and closes when the probe resolves', async () => {
    let isBack = false;
    let probes = 0;
    const probe = async () => {
      probes += 1;
      if (!isBack) throw new Error('still away');
    };
    const { clock, breaker, fail } = setUp({ probe });
    await fail(3);
    for (const expected of [1, 2]) {
      await clock.advance('1s');
      let calls = 0;
      const tries = Array.from({ length: 50 }, () => codeOf(breaker.run(async () => (calls += 1))));
      expect(new Set(await Promise.all(tries))).toEqual(new Set(['http.circuit_open']));
      expect([probes, calls]).toEqual([expected, 0]);
      expect(breaker.state).toBe('open');
    }
    isBack = true;
    await clock.advance('1s');
    await codeOf(breaker.run(well));
    await clock.advance('1ms');
    expect(breaker.state).toBe('closed');
    expect(await codeOf(breaker.run(well))).toBe('well');
  });
});

describe('around routes', () => {
  it('a breaker answers 503 with Retry-After while it is open, and lets go by itself', async () => {
    const clock = testClock();
    const { app } = testApp();
    const breaker = createBreaker({
      name: 'database',
      failures: 3,
      clock,
      isFault: (error) => isFailure(error, Down),
    });
    let isDown = true;
    let handled = 0;
    app.get('/rows', breakerGuard(breaker), (c) => {
      handled += 1;
      if (isDown) throw new Down();
      return c.text('rows');
    });
    app.get('/other', breakerGuard(breaker), () => {
      throw new Error('a bug, not the database');
    });
    for (let i = 0; i < 10; i += 1) await app.request('/other');
    expect(breaker.state).toBe('closed');
    for (let i = 0; i < 10; i += 1) await app.request('/rows');
    expect(handled).toBe(3);
    const refused = await app.request('/rows');
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '5']);
    expect((await problemIn(refused))['code']).toBe('http.circuit_open');
    isDown = false;
    await clock.advance('5s');
    expect((await app.request('/rows')).status).toBe(200);
    expect(breaker.state).toBe('closed');
  });

  it('a bulkhead lets so many in, has so many wait, and turns the rest away', async () => {
    const { app } = testApp();
    const bulkhead = createBulkhead({ maxConcurrent: 2, maxWaiting: 3 });
    const waiting: (() => void)[] = [];
    let most = 0;
    app.get('/slow', bulkheadGuard(bulkhead), async (c) => {
      most = Math.max(most, bulkhead.active);
      await new Promise<void>((resolve) => waiting.push(resolve));
      return c.text('done');
    });
    const answers = Array.from({ length: 50 }, async () => app.request('/slow'));
    const rest = Promise.all(answers).then((all) => all.map(({ status }) => status));
    let done = false;
    void rest.then(() => (done = true));
    while (!done) {
      waiting.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const statuses = await rest;
    expect(statuses.filter((status) => status === 200)).toHaveLength(5);
    expect(statuses.filter((status) => status === 503)).toHaveLength(45);
    expect([most, bulkhead.active, bulkhead.waiting]).toEqual([2, 0, 0]);
  });

  it('whoever gives up waiting for a place takes none', async () => {
    const bulkhead = createBulkhead({ maxConcurrent: 1, maxWaiting: 1 });
    const leave = await bulkhead.enter();
    const over = new AbortController();
    const waiting = bulkhead.enter(over.signal);
    over.abort(new RangeError('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(await codeOf(bulkhead.enter(over.signal))).toBe('error');
    leave();
    leave();
    expect([bulkhead.active, bulkhead.waiting]).toEqual([0, 0]);
    await bulkhead.enter();
    const last = bulkhead.enter();
    expect(await codeOf(bulkhead.enter())).toBe(TooManyCalls.code);
    void last;
  });
});
