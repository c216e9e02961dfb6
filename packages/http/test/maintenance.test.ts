import { recordEvents, recordingLogger, testClock } from '@svc/core/testing';
import { describe, expect, it } from 'vitest';
import { createMaintenance, maintenanceChanged, memoryMaintenanceStore } from '../src/index.ts';
import { maintenanceGuard, probeRoutes } from '../src/hono.ts';
import { createHealth } from '../src/index.ts';
import { problemIn, testApp } from './test-app.ts';

const bypassToken = 'a-token-that-nobody-guesses';

function setUp() {
  const clock = testClock();
  const store = memoryMaintenanceStore();
  const maintenance = createMaintenance({ store, bypassToken, clock });
  const { app } = testApp();
  app.use(maintenanceGuard(maintenance, { tenantId: (c) => c.req.header('X-Tenant') }));
  const health = createHealth({ checks: [] });
  health.markStarted();
  app.route('/', probeRoutes(health));
  app.get('/projects', (c) => c.text('read'));
  app.post('/projects', (c) => c.text('written'));
  app.get('/projects/:id', (c) => c.text('one'));
  app.get('/projects-old', (c) => c.text('other'));
  const status = async (path: string, init?: RequestInit) => (await app.request(path, init)).status;
  return { app, clock, store, maintenance, status };
}

describe('maintenance', () => {
  it('of the app answers 503 with Retry-After, and lets probes and the bypass token in', async () => {
    const { app, maintenance, status } = setUp();
    await maintenance.set('app', { retryAfterSeconds: 300 });
    const refused = await app.request('/projects');
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '300']);
    expect((await problemIn(refused))['code']).toBe('http.under_maintenance');
    expect(refused.headers.get('Cache-Control')).toBe('no-store');
    const bearing = (token: string) =>
      status('/projects', { headers: { 'X-Maintenance-Bypass': token } });
    expect(await bearing(bypassToken)).toBe(200);
    expect(await bearing(`${bypassToken}x`)).toBe(503);
    expect(await bearing('')).toBe(503);
    expect([await status('/healthz'), await status('/readyz')]).toEqual([200, 200]);
    expect([await maintenance.clear('app'), await maintenance.clear('app')]).toEqual([true, false]);
    expect(await status('/projects')).toBe(200);
  });

  it('of a route shuts what is below its path and nothing beside it', async () => {
    const { maintenance, status } = setUp();
    await maintenance.set({ path: '/projects' });
    expect(
      await Promise.all(['/projects', '/projects/1', '/projects-old'].map((path) => status(path))),
    ).toEqual([503, 503, 200]);
    expect(await status('/%70rojects')).toBe(503);
  });

  it('of a tenant shuts that tenant out', async () => {
    const { maintenance, status } = setUp();
    await maintenance.set({ tenantId: 'a' });
    const as = (tenant: string) => status('/projects', { headers: { 'X-Tenant': tenant } });
    expect([await as('a'), await as('b'), await status('/projects')]).toEqual([503, 200, 200]);
  });

  it('for reading only refuses writes, unless the rest is shut as well', async () => {
    const { app, maintenance, status } = setUp();
    await maintenance.set('app', { readOnly: true });
    expect([await status('/projects'), await status('/projects', { method: 'HEAD' })]).toEqual([
      200, 200,
    ]);
    const refused = await app.request('/projects', { method: 'POST' });
    expect((await problemIn(refused))['code']).toBe('http.read_only');
    await maintenance.set({ path: '/projects' });
    expect(await status('/projects')).toBe(503);
  });

  it('reaches other processes, holds what was known while the store is away, and tells it once', async () => {
    const { clock, store, maintenance } = setUp();
    using seen = recordEvents(maintenanceChanged);
    const logger = recordingLogger();
    let isAway = false;
    const reading = {
      ...store,
      read: () => (isAway ? Promise.reject(new Error('away')) : store.read()),
    };
    const other = createMaintenance({ store: reading, clock, logger, name: 'other' });
    await other.start();
    await maintenance.set('app');
    expect(other.get()).toEqual([]);
    await clock.advance('500ms');
    expect(other.get()).toMatchObject([{ target: 'app', readOnly: false }]);
    isAway = true;
    await clock.advance('10s');
    await expect(other.set({ path: '/x' })).rejects.toThrow('away');
    expect(other.get()).toMatchObject([{ target: 'app' }]);
    await maintenance.clear('app');
    isAway = false;
    await clock.advance('500ms');
    expect(other.get()).toEqual([]);
    expect(logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(seen.events.filter(({ instance }) => instance === 'other')).toHaveLength(2);
    await other.stop();
    expect(clock.sleeping).toBe(0);
  });

  it('takes no nonsense from the store or from its caller', async () => {
    const { clock, store } = setUp();
    const maintenance = createMaintenance({ store, clock });
    await maintenance.start();
    await maintenance.set({ path: '/a' });
    await store.replace(await store.read(), '[{"target":"everything"}]');
    await clock.advance('1s');
    expect(maintenance.get()).toMatchObject([{ target: { path: '/a' } }]);
    await maintenance.stop();
    await expect(maintenance.set({ path: 'no-slash' })).rejects.toThrow(TypeError);
    await expect(maintenance.set('app', { retryAfterSeconds: -1 })).rejects.toThrow(TypeError);
    expect(() => createMaintenance({ store, bypassToken: 'short' })).toThrow(TypeError);
    expect(maintenance.isBypass(undefined)).toBe(false);
  });
});
