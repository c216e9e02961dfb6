import { parseSettings } from '@svc/core';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { jobsFromSettings, jobsSettings, memoryStore } from '../src/index.ts';
import { task } from './open-jobs.ts';

const parse = (environment: Record<string, string>) =>
  parseSettings(v.object(jobsSettings), environment);

test('the driver that settings name is the one that is opened', async () => {
  expect(parse({})).toEqual({ jobsDriver: 'postgres', jobsConcurrency: 10, jobsLease: '15s' });
  const opened: string[] = [];
  const stores = {
    postgres: () => {
      opened.push('postgres');
      return memoryStore();
    },
  };
  const tasks = [task()] as const;
  jobsFromSettings(parse({}), { stores, tasks });
  const jobs = jobsFromSettings(parse({ JOBS_DRIVER: 'memory' }), { stores, tasks });
  expect(opened).toEqual(['postgres']);
  const { id } = await jobs.enqueue(tasks[0], { n: 1 });
  expect(await jobs.get(id)).toMatchObject({ state: 'ready' });
  expect(() => jobsFromSettings(parse({ JOBS_DRIVER: 'redis' }), { stores, tasks })).toThrow(
    TypeError,
  );
});
