import { type Context, Hono } from 'hono';
import type { Health, HealthReport } from '../health.ts';

/** `GET /healthz` (is it alive), `/readyz` (send it traffic), `/startupz` (has it started): 200, or 503 when not. */
export function probeRoutes(health: Health) {
  const answer = (c: Context, report: HealthReport) => {
    c.header('cache-control', 'no-store');
    return c.json(report, report.status === 'unavailable' ? 503 : 200);
  };
  return new Hono()
    .get('/healthz', (c) => answer(c, health.live()))
    .get('/readyz', async (c) => answer(c, await health.ready()))
    .get('/startupz', (c) => answer(c, health.started()));
}
