// A scheduler whose time of day is what its parent sends. Holds a tick in the middle of its transaction where it is told to.
import { testClock } from '@svc/core/testing';
import { connect } from '@svc/db';
import { createScheduler, defineSchedule } from '../../src/index.ts';
import { postgresScheduleStore } from '../../src/schedules/stores/postgres.ts';
import { writeJob } from '../schedule-jobs.ts';

const [url, startsAt] = process.argv.slice(2) as [string, string];
const clock = testClock(startsAt);
const { db } = await connect(url, { poolSize: 2 });
let held: string | undefined;
let release = () => {};

const scheduler = createScheduler({
  store: postgresScheduleStore(db),
  schedules: [
    defineSchedule({
      name: 'each-second',
      task: 'app.tick',
      every: '1s',
      misfire: { all: 1000 },
      payload: (tickAt) => tickAt.toISOString(),
    }),
  ],
  enqueue: async (_, payload, { within }) => {
    await writeJob(within ?? db, payload as string);
    if (payload !== held) return;
    const released = new Promise<void>((resolve) => (release = resolve));
    process.send?.('holds');
    await released;
  },
  clock,
});

let advanced = Promise.resolve();
process.on('message', ({ nowMs, holds, releases }: Record<string, unknown>) => {
  if (releases === true) {
    held = undefined;
    release();
  }
  if (typeof nowMs !== 'number') return;
  if (holds === true) held = new Date(nowMs).toISOString();
  advanced = advanced.then(() => clock.advance(`${nowMs - clock.now().getTime()}ms`));
});
await scheduler.start();
process.send?.('started');
