import { ValidationFailed } from '@svc/core';
import { type HttpEnv, noStore, operation, validated } from '@svc/http/hono';
import { Hono, type MiddlewareHandler } from 'hono';
import { JobNotFound, JobStateConflict } from './failures.ts';
import type { Job } from './job.ts';
import type { Jobs } from './jobs.ts';
import {
  CancelBody,
  CountBody,
  DeadFilterSchema,
  JobBody,
  JobPage,
  JobParam,
  ListQuery,
  PauseSchema,
  StatusBody,
} from './schemas.ts';
import type { DeadFilter } from './store.ts';

export interface JobsRoutesOptions {
  /** Lets pass who may look. Of `@svc/auth`: `requirePermission(auth, 'jobs.read')`, behind `requireUser(auth)`. */
  guard: MiddlewareHandler;
  /** Lets pass who may retry, cancel, pause and replay. @default guard */
  writeGuard?: MiddlewareHandler;
}

const tags = ['Jobs'];

/** The routes of the operators, to be mounted where the app wants them: `app.route('/admin/jobs', jobsRoutes(jobs, { guard }))`. Payloads and results are not shown. */
export function jobsRoutes(jobs: Jobs, { guard, writeGuard = guard }: JobsRoutesOptions) {
  return new Hono<HttpEnv>()
    .use(noStore)
    .get(
      '/status',
      operation({
        id: 'jobsStatus',
        summary: 'Figures of the queue',
        tags,
        responses: { 200: { description: 'The figures.', schema: StatusBody } },
      }),
      guard,
      async (c) => c.json(await jobs.stats(), 200),
    )
    .get(
      '/',
      operation({
        id: 'listJobs',
        summary: 'List jobs of one state, the newest first',
        description: 'Dead letters are the state `dead`.',
        tags,
        responses: { 200: { description: 'A page of jobs.', schema: JobPage } },
        failures: [ValidationFailed],
      }),
      guard,
      validated('query', ListQuery),
      async (c) => {
        const { items, nextCursor } = await jobs.list(c.req.valid('query'));
        return c.json({ items: items.map(toBody), nextCursor }, 200);
      },
    )
    .post(
      '/pause',
      operation({
        id: 'pauseJobs',
        summary: 'Start no more jobs of a task, or of any',
        tags,
        responses: { 204: { description: 'It is paused.' } },
        failures: [ValidationFailed],
      }),
      writeGuard,
      validated('json', PauseSchema),
      async (c) => {
        await jobs.pause(c.req.valid('json').task);
        return c.body(null, 204);
      },
    )
    .post(
      '/resume',
      operation({
        id: 'resumeJobs',
        summary: 'Start jobs again',
        tags,
        responses: { 204: { description: 'It is not paused.' } },
        failures: [ValidationFailed],
      }),
      writeGuard,
      validated('json', PauseSchema),
      async (c) => {
        await jobs.resume(c.req.valid('json').task);
        return c.body(null, 204);
      },
    )
    .post(
      '/dead/replay',
      operation({
        id: 'replayDeadJobs',
        summary: 'Make dead letters ready again, with fresh attempts',
        description: 'The oldest first, at most 10 000 in one call.',
        tags,
        responses: { 200: { description: 'How many.', schema: CountBody } },
        failures: [ValidationFailed],
      }),
      writeGuard,
      validated('json', DeadFilterSchema),
      async (c) => c.json({ count: await jobs.replayDead(toFilter(c.req.valid('json'))) }, 200),
    )
    .post(
      '/dead/purge',
      operation({
        id: 'purgeDeadJobs',
        summary: 'Delete dead letters',
        description: 'The oldest first, at most 10 000 in one call.',
        tags,
        responses: { 200: { description: 'How many.', schema: CountBody } },
        failures: [ValidationFailed],
      }),
      writeGuard,
      validated('json', DeadFilterSchema),
      async (c) => c.json({ count: await jobs.purgeDead(toFilter(c.req.valid('json'))) }, 200),
    )
    .get(
      '/:id',
      operation({
        id: 'readJob',
        summary: 'A job',
        tags,
        responses: { 200: { description: 'The job.', schema: JobBody } },
        failures: [ValidationFailed, JobNotFound],
      }),
      guard,
      validated('param', JobParam),
      async (c) => {
        const job = await jobs.get(c.req.valid('param').id);
        if (job === undefined) throw new JobNotFound();
        return c.json(toBody(job), 200);
      },
    )
    .post(
      '/:id/retry',
      operation({
        id: 'retryJob',
        summary: 'Make a scheduled or dead job ready now',
        tags,
        responses: { 204: { description: 'It is ready.' } },
        failures: [ValidationFailed, JobNotFound, JobStateConflict],
      }),
      writeGuard,
      validated('param', JobParam),
      async (c) => {
        await jobs.retry(c.req.valid('param').id);
        return c.body(null, 204);
      },
    )
    .post(
      '/:id/cancel',
      operation({
        id: 'cancelJob',
        summary: 'Remove a job that waits, or ask a running one to end',
        tags,
        responses: {
          200: { description: 'Whether it is gone, or was asked.', schema: CancelBody },
        },
        failures: [ValidationFailed, JobNotFound, JobStateConflict],
      }),
      writeGuard,
      validated('param', JobParam),
      async (c) => c.json({ state: await jobs.cancel(c.req.valid('param').id) }, 200),
    );
}

function toFilter({
  before,
  ...filter
}: { before?: string | undefined } & Record<string, unknown>) {
  return { ...filter, ...(before !== undefined && { before: new Date(before) }) } as DeadFilter;
}

/** Without payload and result: they may hold what an operator is not to see. */
const toBody = (job: Job) => ({
  id: job.id,
  task: job.task,
  state: job.state,
  priority: job.priority,
  group: job.group,
  attempts: job.attempts,
  maxAttempts: job.maxAttempts,
  enqueuedAt: job.enqueuedAt.toISOString(),
  runAt: job.runAt?.toISOString() ?? null,
  finishedAt: job.finishedAt?.toISOString() ?? null,
  errors: job.errors.map(({ at, ...error }) => ({ ...error, at: at.toISOString() })),
  ...(job.progress !== undefined && { progress: job.progress }),
  tenantId: job.tenantId,
});
