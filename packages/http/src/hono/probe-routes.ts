import { type Context, Hono } from 'hono';
import * as v from 'valibot';
import type { Health, HealthReport } from '../health.ts';
import { operation } from './operation.ts';

const Report = v.object({
  status: v.picklist(['ok', 'degraded', 'unavailable']),
  reason: v.optional(v.picklist(['starting', 'draining'])),
  checks: v.array(
    v.object({
      name: v.string(),
      critical: v.boolean(),
      status: v.picklist(['ok', 'failed', 'timeout']),
    }),
  ),
});

const probe = (id: string, summary: string) =>
  operation({
    id,
    summary,
    tags: ['Probes'],
    security: 'none',
    responses: {
      200: { description: 'Yes; `degraded` where something optional is missing.', schema: Report },
      503: { description: 'No.', schema: Report },
    },
  });

/** `GET /healthz` (is it alive), `/readyz` (send it traffic), `/startupz` (has it started): 200, or 503 when not. */
export function probeRoutes(health: Health) {
  const answer = (c: Context, report: HealthReport) =>
    c.json(report, report.status === 'unavailable' ? 503 : 200);
  return new Hono()
    .get('/healthz', probe('live', 'Is the process alive?'), noStore, (c) =>
      answer(c, health.live()),
    )
    .get('/readyz', probe('ready', 'Should it be sent traffic?'), noStore, async (c) =>
      answer(c, await health.ready()),
    )
    .get('/startupz', probe('started', 'Has it started?'), noStore, (c) =>
      answer(c, health.started()),
    );
}

const noStore = async (c: Context, next: () => Promise<void>) => {
  await next();
  c.header('cache-control', 'no-store');
};
