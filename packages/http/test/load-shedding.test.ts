import { recordEvents, testClock } from '@svc/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLoadShedder, type Priority, sheddingChanged } from '../src/index.ts';
import { loadShedding } from '../src/hono.ts';
import { nextLevel } from '../src/load-shedder.ts';
import { problemIn, testApp } from './test-app.ts';

/** A clock on which each sleep takes so much longer than asked for. */
function lateClock() {
  const clock = testClock();
  let lateMs = 0;
  let elapsedMs = 0;
  return {
    clock: {
      ...clock,
      elapsedMs: () => elapsedMs,
      async sleep(ms: number, signal?: AbortSignal) {
        await clock.sleep(ms, signal);
        elapsedMs += ms + lateMs;
      },
    },
    be: (ms: number) => (lateMs = ms),
    samples: (count: number) => clock.advance(`${count * 50}ms`),
  };
}

describe('load shedding', () => {
  it('refuses the least important first, what is critical never, and ends by itself', async () => {
    const { clock, be, samples } = lateClock();
    const shedder = createLoadShedder({ clock });
    using seen = recordEvents(sheddingChanged);
    shedder.start();
    const admitted = (priority: Priority) =>
      Array.from({ length: 100 }, () => shedder.admits(priority)).filter(Boolean).length;
    const all = () => (['critical', 'high', 'normal', 'low'] as const).map(admitted);
    await samples(3);
    expect(all()).toEqual([100, 100, 100, 100]);
    be(1000);
    await samples(1);
    expect(all()).toEqual([100, 100, 100, 50]);
    await samples(2);
    expect(all()).toEqual([100, 100, 50, 0]);
    await samples(100);
    expect(all()).toEqual([100, 0, 0, 0]);
    expect(shedder.level).toBe(3);
    be(0);
    await samples(100);
    expect(all()).toEqual([100, 100, 100, 100]);
    expect(seen.events.map(({ payload }) => payload.level > 0)).toEqual([true, false]);
    shedder.stop();
  });

  it('answers 503 with Retry-After, and never sheds probes and admin', async () => {
    const { clock, be, samples } = lateClock();
    const shedder = createLoadShedder({ clock });
    const { app } = testApp();
    app.use(loadShedding(shedder));
    app.get('*', (c) => c.text('done'));
    shedder.start();
    be(1000);
    await samples(100);
    const refused = await app.request('/projects');
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '1']);
    expect((await problemIn(refused))['code']).toBe('http.overloaded');
    for (const path of ['/healthz', '/readyz', '/metrics', '/admin', '/admin/users'])
      expect((await app.request(path)).status).toBe(200);
    expect((await app.request('/administrators')).status).toBe(503);
    shedder.stop();
  });

  it('rises and falls within its bounds', () => {
    const delay = fc.double({ min: 0, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(fc.double({ min: 0, max: 3, noNaN: true }), delay, (level, delayMs) => {
        const next = nextLevel(level, delayMs, 50);
        expect(next >= 0 && next <= 3 && next - level <= 0.5 + 1e-9).toBe(true);
        expect(delayMs > 50 ? next >= level : next <= level).toBe(true);
      }),
    );
  });
});
