import { type Clock, ValidationFailed } from '@svc/core';
import { type Db, transact } from '@svc/db';
import { type HttpEnv, operation, validated } from '@svc/http/hono';
import { defineSchedule, defineTask, exponential, type Jobs, type Schedule } from '@svc/jobs';
import { Hono } from 'hono';
import * as v from 'valibot';

const tags = ['Acceptance'];
const documented = (id: string, summary: string) =>
  operation({
    id,
    summary,
    tags,
    responses: { 200: { description: 'As asked', schema: v.looseObject({}) } },
    security: 'none',
    hidden: true,
    failures: [ValidationFailed],
  });

const count = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));

/** A job that takes so long, after attempts that fail. */
const Work = v.strictObject({
  key: v.optional(v.pipe(v.string(), v.maxLength(50)), ''),
  ms: v.optional(count(60_000), 0),
  failures: v.optional(count(100), 0),
});

const EnqueueWork = v.strictObject({
  ...Work.entries,
  rollBack: v.optional(v.boolean(), false),
  jobCount: v.optional(count(1000), 1),
});

const ListedJobs = v.strictObject({
  task: v.picklist(['acceptance.work', 'acceptance.tick']),
  state: v.picklist(['waiting', 'scheduled', 'ready', 'running', 'done', 'cancelled', 'dead']),
});

/** Tasks with which the gate sees how jobs are run. */
export const controlTasks = (clock: Clock) =>
  [
    defineTask({
      name: 'acceptance.work',
      payload: Work,
      // As a handler that does not heed its signal: the worst there is.
      run: async ({ ms, failures }, { attempt }) => {
        if (attempt <= failures) throw new Error(`attempt ${attempt} fails, as was asked`);
        await clock.sleep(ms);
        return { attempt };
      },
      maxAttempts: 3,
      backoff: exponential({ first: '200ms', cap: '500ms' }),
    }),
    defineTask({
      name: 'acceptance.tick',
      payload: v.strictObject({ tickAt: v.pipe(v.string(), v.isoTimestamp()) }),
      run: () => undefined,
    }),
  ] as const;

/** Each of its ticks is a job that says which tick it is of. */
export const controlSchedules: readonly Schedule[] = [
  defineSchedule({
    name: 'acceptance-tick',
    task: 'acceptance.tick',
    cron: '* * * * * *',
    seconds: true,
    misfire: { all: 10_000 },
    payload: (tickAt) => ({ tickAt: tickAt.toISOString() }),
  }),
];

class RolledBack extends Error {
  override name = 'RolledBack';
}

interface ControlNeeds {
  db: Db;
  jobs: Jobs<ReturnType<typeof controlTasks>[number][]>;
}

/** What the gate needs to see of jobs, as in `control.ts`. */
export function controlJobRoutes({ db, jobs }: ControlNeeds) {
  return new Hono<HttpEnv>()
    .post(
      '/jobs',
      documented('enqueueWork', 'Queue jobs in a transaction, and commit it or not'),
      validated('json', EnqueueWork),
      async (c) => {
        const { rollBack, jobCount, ...work } = c.req.valid('json');
        const items = Array.from({ length: jobCount }, () => ({ payload: work }));
        const ids: string[] = [];
        await transact(db, async (within) => {
          const stored = await jobs.enqueueMany('acceptance.work', items, { within });
          ids.push(...stored.map(({ id }) => id));
          if (rollBack) throw new RolledBack('as was asked');
        }).catch((error: unknown) => {
          if (!(error instanceof RolledBack)) throw error;
        });
        return c.json({ ids });
      },
    )
    .get(
      '/jobs',
      documented('listWork', 'List such jobs with their payloads and results'),
      validated('query', ListedJobs),
      async (c) => {
        const { items } = await jobs.list({ ...c.req.valid('query'), limit: 1000 });
        return c.json({ items: [...items] as object[] });
      },
    );
}
