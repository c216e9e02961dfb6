import { systemClock } from '@svc/core';
import type { EventChannel, EventMessage } from '@svc/core';
import type { Db } from '@svc/db';
import * as v from 'valibot';
import {
  type AnyTask,
  createJobs,
  createWorker,
  defineTask,
  type JobsOptions,
  type TaskOptions,
  type WorkerOptions,
} from '../src/index.ts';
import { postgresStore } from '../src/stores/postgres.ts';

export const Numbered = v.object({ n: v.number() });

let names = 0;

/** A task with a name of its own, so that tests of one file do not take each other's jobs. */
export const task = (options: Partial<TaskOptions<string, typeof Numbered>> = {}) =>
  defineTask({ name: `test.${(names += 1)}`, payload: Numbered, run: () => {}, ...options });

/** A queue and a worker for its tasks alone; the worker looks rarely, so that what is quick was woken. */
export function open<const Tasks extends readonly AnyTask[]>(
  db: Db,
  tasks: Tasks,
  options: Partial<WorkerOptions> & { queue?: Partial<JobsOptions<Tasks>> } = {},
) {
  const { queue, ...ofWorker } = options;
  const jobs = createJobs({ store: postgresStore(db), tasks, ...queue });
  const names = tasks.map(({ name }) => name);
  const worker = createWorker({ jobs, tasks: names, ...ofWorker });
  worker.start();
  return { jobs, worker, [Symbol.asyncDispose]: () => worker.stop({ graceMs: 1000 }) };
}

/** Resolves with the first event that fits. */
export function nextEvent<Payload extends object>(
  channel: EventChannel<Payload>,
  fits: (payload: Payload) => boolean = () => true,
): Promise<Payload> {
  return new Promise((resolve) => {
    const stop = channel.subscribe(({ payload }: EventMessage<Payload>) => {
      if (!fits(payload)) return;
      stop();
      resolve(payload);
    });
  });
}

/** Waits until it is so, looking often; at most 20 s. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const began = systemClock.elapsedMs();
  while (!(await isSo())) {
    if (systemClock.elapsedMs() - began > 20_000) throw new Error('it did not come to be');
    await systemClock.sleep(5);
  }
}
