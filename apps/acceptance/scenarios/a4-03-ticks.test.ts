import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../gate/wait.ts';
import { control } from './client.ts';
import { type SeenJob, seenJobs } from './jobs.ts';

const task = 'acceptance.tick';
const states = ['scheduled', 'ready', 'running', 'done', 'dead'];
const tickOf = ({ payload }: SeenJob) => Date.parse(payload.tickAt as string);
const isApart = await control('background/apart');

/** Every job of a tick from this one on, whatever state it is in; a job that changes it meanwhile is seen once. */
async function ticksSince(fromMs: number): Promise<SeenJob[]> {
  const byId = new Map<string, SeenJob>();
  for (const state of states) for (const job of await seenJobs(state, task)) byId.set(job.id, job);
  return [...byId.values()].filter((job) => tickOf(job) >= fromMs);
}

/** Resolves when `count` ticks in a row from this one on are done. */
const ticksDone = (fromMs: number, count: number) =>
  waitFor(`${count} ticks`, 25_000, async () => {
    const done = new Set((await seenJobs('done', task)).map(tickOf));
    const wanted = Array.from({ length: count }, (_, index) => fromMs + index * 1000);
    return wanted.every((tick) => done.has(tick)) ? true : undefined;
  });

// Each process has two of them already; where they are processes of their own, there are two of those, too.
test('each tick of a cron pattern is one job, whichever scheduler enqueues it and whichever is killed', async () => {
  const newest = await waitFor('a tick', 10_000, async () => (await seenJobs('done', task))[0]);
  const fromMs = tickOf(newest) + 1000;
  if (isApart) {
    await control('background/start', { which: 'second scheduler' });
    onTestFinished(async () => {
      await control('background/terminate', { which: 'second scheduler', signal: 'SIGTERM' });
    });
  }
  await ticksDone(fromMs, 3);
  await control('background/terminate', { which: 'scheduler', signal: 'SIGKILL' });
  await control('background/start', { which: 'scheduler' });
  await ticksDone(fromMs, 7);
  const ticks = (await ticksSince(fromMs)).map(tickOf).toSorted((a, b) => a - b);
  expect(ticks).toEqual(ticks.map((_, index) => fromMs + index * 1000));
  expect(ticks.length).toBeGreaterThanOrEqual(7);
});
