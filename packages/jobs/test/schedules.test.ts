import { type LogLine, recordEvents, recordingLogger, testClock } from '@svc/core/testing';
import { describe, expect, test } from 'vitest';
import {
  createScheduler,
  defineSchedule,
  memoryScheduleStore,
  type Misfire,
  type Schedule,
  ScheduleNotFound,
  ticked,
  tickFailed,
} from '../src/index.ts';

interface Enqueued {
  task: string;
  payload: unknown;
}

function open({ schedules }: { schedules: readonly Schedule[] }) {
  const clock = testClock('2026-01-01T00:00:00Z');
  const inner = memoryScheduleStore();
  const asked = { count: 0 };
  // Counts what would be queries.
  const store = new Proxy(inner, {
    get(target, key) {
      asked.count += 1;
      return Reflect.get(target, key);
    },
  });
  const jobs: Enqueued[] = [];
  const lines: LogLine[] = [];
  const failing = new Set<string>();
  const enqueue = async (task: string, payload: unknown) => {
    if (failing.has(task)) throw new Error(`${task} cannot be enqueued`);
    jobs.push({ task, payload });
    return { id: String(jobs.length) };
  };
  const createOne = (own: readonly Schedule[] = schedules) =>
    createScheduler({ store, schedules: own, enqueue, clock, logger: recordingLogger(lines) });
  return { clock, store, asked, jobs, lines, failing, createOne, scheduler: createOne() };
}

const tickAt = (at: Date) => ({ at: at.toISOString().slice(11, 19) });
const each10s = (misfire: Misfire = 'one') =>
  defineSchedule({ name: 'sync', task: 'crm.sync', every: '10s', payload: tickAt, misfire });
const times = (jobs: readonly Enqueued[]) =>
  jobs.map(({ payload }) => (payload as { at: string }).at);

describe('a scheduler', () => {
  test('begins a new schedule with its next tick, and enqueues each with what the tick is', async () => {
    const { scheduler, clock, jobs } = open({ schedules: [each10s()] });
    using seen = recordEvents(ticked);
    await clock.advance('5s');
    await scheduler.start();
    await clock.advance('30s');
    expect(jobs[0]).toEqual({ task: 'crm.sync', payload: { at: '00:00:10' } });
    expect(times(jobs)).toEqual(['00:00:10', '00:00:20', '00:00:30']);
    expect(seen.events[0]).toMatchObject({
      instance: 'scheduler',
      payload: { schedule: 'sync', task: 'crm.sync', lateMs: 0 },
    });
    await scheduler.stop();
    await clock.advance('1m');
    expect(jobs).toHaveLength(3);
    expect(clock.sleeping).toBe(0);
  });

  test('asks the store for nothing while no tick is due, and little when one is', async () => {
    const schedules = Array.from({ length: 50 }, (_, i) =>
      defineSchedule({ name: `daily-${i}`, task: 't', cron: '0 3 * * *' }),
    );
    const { scheduler, clock, asked, jobs } = open({ schedules });
    await scheduler.start();
    await clock.advance('1s');
    const before = asked.count;
    await clock.advance('2h');
    expect(asked.count - before).toBe(0);
    await clock.advance('59m');
    await clock.advance('59s');
    expect(jobs).toHaveLength(50);
    // One read, a claim each, one removal of old ticks.
    expect(asked.count - before).toBe(52);
    await scheduler.stop();
  });

  for (const [misfire, expected] of [
    ['one', ['00:00:10', '01:00:10']],
    ['skip', ['00:00:10', '01:00:10']],
    [{ all: 3 }, ['00:00:10', '00:59:50', '01:00:00', '01:00:10']],
  ] as const)
    test(`that did not run for an hour makes up as its schedule says: ${JSON.stringify(misfire)}`, async () => {
      const { scheduler, createOne, clock, jobs } = open({ schedules: [each10s(misfire)] });
      await scheduler.start();
      await clock.advance('10s');
      await scheduler.stop();
      await clock.advance('1h');
      const next = createOne();
      await next.start();
      await clock.advance('1s');
      expect(times(jobs)).toEqual(expected);
      await next.stop();
    });

  test("makes up for a day's tick once, or skips it, when it starts hours later", async () => {
    const daily = (name: string, misfire: Misfire) =>
      defineSchedule({ name, task: name, cron: '0 3 * * *', misfire });
    const { createOne, clock, jobs } = open({
      schedules: [daily('made-up', 'one'), daily('skipped', 'skip')],
    });
    const first = createOne();
    await first.start();
    await first.stop();
    await clock.advance('9h');
    const second = createOne();
    await second.start();
    await clock.advance('1h');
    expect(jobs.map(({ task }) => task)).toEqual(['made-up']);
    await second.stop();
  });

  test('whose pattern was changed begins anew', async () => {
    const { scheduler, createOne, clock, jobs } = open({ schedules: [each10s({ all: 100 })] });
    await scheduler.start();
    await clock.advance('10s');
    await scheduler.stop();
    await clock.advance('1h');
    const changed = createOne([
      defineSchedule({
        name: 'sync',
        task: 'crm.sync',
        cron: '*/5 * * * *',
        payload: tickAt,
        misfire: { all: 100 },
      }),
    ]);
    await changed.start();
    await clock.advance('5m');
    expect(times(jobs)).toEqual(['00:00:10', '01:05:00']);
    await changed.stop();
  });

  test('started and stopped twice, or stopped while it starts, is one and none', async () => {
    const { scheduler, clock, jobs } = open({ schedules: [each10s()] });
    await Promise.all([scheduler.start(), scheduler.start()]);
    await clock.advance('10s');
    expect(jobs).toHaveLength(1);
    await Promise.all([scheduler.stop(), scheduler.stop()]);
    const starting = scheduler.start();
    await scheduler.stop();
    await starting;
    await clock.advance('1h');
    expect(jobs).toHaveLength(1);
    await scheduler[Symbol.asyncDispose]();
  });
});

describe('pause, resume and run now', () => {
  test('a pause by one is seen by all, and its ticks are not made up for', async () => {
    const { scheduler, createOne, clock, jobs } = open({ schedules: [each10s({ all: 100 })] });
    const other = createOne();
    await scheduler.start();
    await clock.advance('10s');
    await other.pause('sync');
    expect(await scheduler.list()).toMatchObject([
      {
        name: 'sync',
        task: 'crm.sync',
        pausedAt: new Date('2026-01-01T00:00:10Z'),
        nextTickAt: null,
      },
    ]);
    await clock.advance('1h');
    await other.resume('sync');
    await clock.advance('10s');
    expect(times(jobs)).toEqual(['00:00:10', '01:00:20']);
    expect(await other.list()).toEqual([
      {
        name: 'sync',
        task: 'crm.sync',
        pattern: 'every 10000ms',
        pausedAt: null,
        lastTickAt: new Date('2026-01-01T01:00:20Z'),
        nextTickAt: new Date('2026-01-01T01:00:30Z'),
      },
    ]);
    await scheduler.stop();
  });

  test('one that never started can be paused before', async () => {
    const { scheduler, createOne, clock, jobs } = open({ schedules: [each10s()] });
    await createOne().pause('sync');
    await scheduler.start();
    await clock.advance('1m');
    expect(jobs).toEqual([]);
    await scheduler.stop();
  });

  test('run now enqueues at once and leaves the ticks as they are', async () => {
    const { scheduler, clock, jobs } = open({ schedules: [each10s()] });
    await scheduler.start();
    await clock.advance('3s');
    await scheduler.pause('sync');
    expect(await scheduler.runNow('sync')).toEqual({ id: '1' });
    await scheduler.resume('sync');
    await clock.advance('7s');
    expect(times(jobs)).toEqual(['00:00:03', '00:00:10']);
    await scheduler.stop();
  });

  test('what is not scheduled is not found, and no name is given twice', async () => {
    const { scheduler, createOne } = open({ schedules: [each10s()] });
    await expect(scheduler.pause('nothing')).rejects.toThrow(ScheduleNotFound);
    await expect(scheduler.resume('nothing')).rejects.toThrow(ScheduleNotFound);
    await expect(scheduler.runNow('nothing')).rejects.toThrow(ScheduleNotFound);
    expect(() => createOne([each10s(), each10s()])).toThrow(TypeError);
  });
});

describe('what fails', () => {
  const broken = defineSchedule({ name: 'broken', task: 'broken', every: '10s', payload: tickAt });

  test('keeps neither other schedules nor its own next tick back', async () => {
    const { scheduler, clock, jobs, failing, lines } = open({ schedules: [broken, each10s()] });
    using seen = recordEvents(tickFailed);
    failing.add('broken');
    await scheduler.start();
    await clock.advance('20s');
    expect(times(jobs)).toEqual(['00:00:10', '00:00:20']);
    const ofBroken = () => times(jobs.filter(({ task }) => task === 'broken'));
    failing.delete('broken');
    await clock.advance('10s');
    expect(ofBroken()).toEqual(['00:00:30']);
    failing.add('broken');
    await clock.advance('10s');
    failing.delete('broken');
    // Before its next tick, the one that failed is tried again.
    await clock.advance('5s');
    expect(ofBroken()).toEqual(['00:00:30', '00:00:40']);
    expect(seen.events.length).toBeGreaterThan(1);
    expect(lines[0]).toMatchObject({ level: 'error', fields: { schedule: 'broken' } });
    await scheduler.stop();
  });

  test('with { all } is tried again, and later ticks do not wait for it', async () => {
    let isBad = true;
    const schedule = defineSchedule({
      name: 'all',
      task: 'all',
      every: '10s',
      misfire: { all: 100 },
      payload: (at) => {
        if (isBad && at.getSeconds() === 20) throw new Error('no payload for this one');
        return tickAt(at);
      },
    });
    const { scheduler, clock, jobs } = open({ schedules: [schedule] });
    await scheduler.start();
    await clock.advance('45s');
    expect(times(jobs)).toEqual(['00:00:10', '00:00:30', '00:00:40']);
    isBad = false;
    await clock.advance('15s');
    expect(times(jobs)).toEqual([
      '00:00:10',
      '00:00:30',
      '00:00:40',
      '00:00:20',
      '00:00:50',
      '00:01:00',
    ]);
    await scheduler.stop();
  });

  test('with the store away it goes on when the store is back', async () => {
    const { store, clock, jobs, createOne } = open({ schedules: [each10s()] });
    const scheduler = createOne();
    await scheduler.start();
    const { read } = store;
    store.read = () => Promise.reject(new Error('away'));
    await clock.advance('30s');
    expect(jobs).toEqual([]);
    store.read = read;
    await clock.advance('10s');
    expect(times(jobs).at(-1)).toBe('00:00:40');
    await scheduler.stop();
  });

  test('a start without the store rejects, and can be tried again', async () => {
    const { store, scheduler, clock, jobs } = open({ schedules: [each10s()] });
    const { register } = store;
    store.register = () => Promise.reject(new Error('away'));
    await expect(scheduler.start()).rejects.toThrow('away');
    store.register = register;
    await scheduler.start();
    await clock.advance('10s');
    expect(jobs).toHaveLength(1);
    await scheduler.stop();
  });
});

test('a tick that comes while another is being enqueued is not slept over', async () => {
  const clock = testClock('2026-01-01T00:00:00Z');
  const payloads: unknown[] = [];
  const slow = Promise.withResolvers<void>();
  const scheduler = createScheduler({
    store: memoryScheduleStore(),
    schedules: [each10s()],
    enqueue: async (_, payload) => {
      payloads.push(payload);
      if (payloads.length === 1) await slow.promise;
    },
    clock,
  });
  await scheduler.start();
  await clock.advance('10s');
  await clock.advance('10s');
  expect(payloads).toEqual([{ at: '00:00:10' }]);
  slow.resolve();
  await new Promise(setImmediate);
  expect(payloads).toEqual([{ at: '00:00:10' }, { at: '00:00:20' }]);
  await scheduler.stop();
});

test('a tick comes once though the clock is set back, and at once when it is set forward', async () => {
  const clock = testClock('2026-01-01T00:00:00Z');
  let offsetMs = 0;
  const moved = { ...clock, now: () => new Date(clock.now().getTime() + offsetMs) };
  const payloads: unknown[] = [];
  const scheduler = createScheduler({
    store: memoryScheduleStore(),
    schedules: [defineSchedule({ name: 'h', task: 't', every: '1h', payload: tickAt })],
    enqueue: async (_, payload) => payloads.push(payload),
    clock: moved,
  });
  await scheduler.start();
  await clock.advance('1h');
  offsetMs = -600_000;
  await clock.advance('15m');
  expect(payloads).toEqual([{ at: '01:00:00' }]);
  offsetMs = 3_600_000;
  await clock.advance('1s');
  expect(payloads).toEqual([{ at: '01:00:00' }, { at: '02:00:00' }]);
  await scheduler.stop();
});
