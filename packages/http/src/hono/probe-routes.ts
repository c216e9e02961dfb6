import { type Context, Hono } from 'hono';
import * as v from 'valibot';
import type { Health, HealthReport } from '../health.ts';
import { operation } from './operation.ts';
import { validated } from './validated.ts';

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

const name = v.pipe(v.string(), v.maxLength(200));
const Readiness = v.object({
  verbose: v.optional(v.pipe(v.string(), v.maxLength(10))),
  exclude: v.optional(v.union([name, v.pipe(v.array(name), v.maxLength(50))])),
});

const probe = (id: string, summary: string, contentType: string[] = ['application/json']) =>
  operation({
    id,
    summary,
    tags: ['Probes'],
    security: 'none',
    responses: {
      200: {
        description: 'Yes; `degraded` where something optional is missing.',
        schema: Report,
        contentType,
      },
      503: { description: 'No.', schema: Report, contentType },
    },
  });

/** `GET /healthz` (is it alive), `/readyz` (send it traffic; `?verbose` in lines of text, `?exclude=name` without a check), `/startupz` (has it started): 200, or 503 when not. */
export function probeRoutes(health: Health) {
  const answer = (c: Context, report: HealthReport) =>
    c.json(report, report.status === 'unavailable' ? 503 : 200);
  return new Hono()
    .get('/healthz', probe('live', 'Is the process alive?'), noStore, (c) =>
      answer(c, health.live()),
    )
    .get(
      '/readyz',
      probe('ready', 'Should it be sent traffic?', ['application/json', 'text/plain']),
      validated('query', Readiness),
      noStore,
      async (c) => {
        const { verbose, exclude = [] } = c.req.valid('query');
        const names = [exclude].flat().flatMap((each) => each.split(','));
        const report = await health.ready({ exclude: names });
        if (verbose === undefined) return answer(c, report);
        return c.text(inLines(report), report.status === 'unavailable' ? 503 : 200);
      },
    )
    .get('/startupz', probe('started', 'Has it started?'), noStore, (c) =>
      answer(c, health.started()),
    );
}

/** As Kubernetes prints its own. */
function inLines({ status, reason, checks }: HealthReport): string {
  const lines = checks.map((check) =>
    check.status === 'ok' ? `[+]${check.name} ok` : `[-]${check.name} ${check.status}`,
  );
  return [...lines, `readyz ${status}${reason === undefined ? '' : `: ${reason}`}`, ''].join('\n');
}

const noStore = async (c: Context, next: () => Promise<void>) => {
  await next();
  c.header('cache-control', 'no-store');
};
