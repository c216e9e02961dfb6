import * as v from 'valibot';
import { defineTask, type TaskOptions } from '../src/index.ts';

const Counted = v.object({ n: v.number() });

/** What the process that enqueues and those that work have in common. */
export const countedTask = (run: TaskOptions<'test.counted', typeof Counted>['run'] = () => {}) =>
  defineTask({ name: 'test.counted', payload: Counted, maxAttempts: 50, run });

export const effects = {
  schema: 'effects',
  steps: [
    {
      name: '001',
      up: [
        'create table effects.runs (job uuid, n int, attempt int, pid int, at timestamptz default clock_timestamp())',
      ],
      down: [],
    },
  ],
};
