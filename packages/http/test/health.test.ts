import { recordingLogger, testClock } from '@svc/core/testing';
import { describe, expect, it } from 'vitest';
import { createHealth, type HealthCheck } from '../src/health.ts';
import { probeRoutes } from '../src/hono/probe-routes.ts';

const passing = (name: string, critical = true): HealthCheck => ({
  name,
  critical,
  check: async () => {},
});
const failing = (name: string, critical = true): HealthCheck => ({
  name,
  critical,
  check: () => Promise.reject(new Error('password=hunter2')),
});
const running = (options: Parameters<typeof createHealth>[0]) => {
  const health = createHealth(options);
  health.markStarted();
  return health;
};

describe('readiness', () => {
  it('is ok when every check passes', async () => {
    const health = running({ checks: [passing('database'), passing('cache', false)] });
    expect((await health.ready()).status).toBe('ok');
  });

  it('is unavailable when a critical check fails, and degraded when an optional one does', async () => {
    const critical = running({ checks: [failing('database'), passing('cache', false)] });
    expect((await critical.ready()).status).toBe('unavailable');
    const optional = running({ checks: [passing('database'), failing('cache', false)] });
    expect(await optional.ready()).toEqual({
      status: 'degraded',
      checks: [
        { name: 'database', critical: true, status: 'ok' },
        { name: 'cache', critical: false, status: 'failed' },
      ],
    });
  });

  it('asks the dependency once for a flood of probes, and again when the answer is old', async () => {
    const clock = testClock();
    let asked = 0;
    const health = running({
      clock,
      cacheMs: 1000,
      checks: [{ name: 'database', critical: true, check: async () => void (asked += 1) }],
    });
    await Promise.all(Array.from({ length: 1000 }, () => health.ready()));
    for (let i = 0; i < 1000; i++) await health.ready();
    expect(asked).toBe(1);
    await clock.advance('1s');
    await Promise.all(Array.from({ length: 100 }, () => health.ready()));
    expect(asked).toBe(2);
  });

  it('runs checks side by side, each under its limit, and never starts one that still hangs a second time', async () => {
    const clock = testClock();
    const started: string[] = [];
    const signals: AbortSignal[] = [];
    const hanging = (name: string): HealthCheck => ({
      name,
      critical: true,
      check: (signal) => {
        started.push(name);
        signals.push(signal);
        return new Promise(() => {});
      },
    });
    const health = running({ clock, timeoutMs: 500, checks: [hanging('a'), hanging('b')] });
    const report = health.ready();
    expect(started).toEqual(['a', 'b']);
    await clock.advance('500ms');
    expect((await report).checks.map((check) => check.status)).toEqual(['timeout', 'timeout']);
    expect(signals.every((signal) => signal.aborted)).toBe(true);
    await clock.advance('5s');
    expect((await health.ready()).status).toBe('unavailable');
    expect(started).toEqual(['a', 'b']);
  });

  it('recovers, and logs the fault and the recovery once each', async () => {
    const clock = testClock();
    const logger = recordingLogger();
    let up = false;
    const check = async () => {
      if (!up) throw new Error('refused');
    };
    const health = running({
      clock,
      logger,
      checks: [{ name: 'database', critical: true, check }],
    });
    for (let i = 0; i < 5; i++) {
      expect((await health.ready()).status).toBe('unavailable');
      await clock.advance('1s');
    }
    up = true;
    expect((await health.ready()).status).toBe('ok');
    expect(logger.lines.map((line) => line.level)).toEqual(['warn', 'info']);
  });

  it('is off until started, and off in the same tick as drain, also for a probe under way', async () => {
    const health = createHealth({ checks: [passing('database')] });
    expect((await health.ready()).reason).toBe('starting');
    health.markStarted();
    const underWay = health.ready();
    health.drain();
    expect((await underWay).reason).toBe('draining');
    expect((await health.ready()).status).toBe('unavailable');
    expect(health.live().status).toBe('ok');
  });
});

describe('probe routes', () => {
  it('answer 200 and 503 by the report, without what went wrong', async () => {
    const health = createHealth({ checks: [failing('database')] });
    const app = probeRoutes(health);
    expect((await app.request('/startupz')).status).toBe(503);
    health.markStarted();
    expect((await app.request('/startupz')).status).toBe(200);
    expect((await app.request('/healthz')).status).toBe(200);
    const ready = await app.request('/readyz');
    expect(ready.status).toBe(503);
    expect(ready.headers.get('cache-control')).toBe('no-store');
    expect(await ready.text()).not.toContain('hunter2');
  });

  it('never touch a dependency for liveness', async () => {
    let asked = 0;
    const check = async () => void (asked += 1);
    const health = running({ checks: [{ name: 'database', critical: true, check }] });
    const app = probeRoutes(health);
    await app.request('/healthz');
    await app.request('/startupz');
    expect(asked).toBe(0);
  });

  it('answer 200 while an optional dependency is down', async () => {
    const ready = await probeRoutes(running({ checks: [failing('redis', false)] })).request(
      '/readyz',
    );
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ status: 'degraded' });
  });
});

describe('what is asked of readiness', () => {
  const app = () =>
    probeRoutes(
      running({ checks: [passing('database'), failing('search'), failing('cache', false)] }),
    );

  it('leaves out the checks that `exclude` names', async () => {
    expect((await app().request('/readyz')).status).toBe(503);
    const without = await app().request('/readyz?exclude=search');
    expect(without.status).toBe(200);
    expect(await without.json()).toMatchObject({ status: 'degraded' });
    for (const query of ['exclude=search,cache', 'exclude=search&exclude=cache&exclude=unknown'])
      expect(await (await app().request(`/readyz?${query}`)).json()).toEqual({
        status: 'ok',
        checks: [{ name: 'database', critical: true, status: 'ok' }],
      });
  });

  it('is told in lines of text where `verbose` is asked for, without why', async () => {
    const answer = await app().request('/readyz?verbose');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('content-type')).toContain('text/plain');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.text()).toBe(
      '[+]database ok\n[-]search failed\n[-]cache failed\nreadyz unavailable\n',
    );
  });
});
