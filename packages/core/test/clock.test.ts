import { expect, test } from 'vitest';
import { shiftedClock, systemClock } from '../src/index.ts';
import { testClock } from '../src/testing.ts';

test('a test clock wakes sleepers in order of their hour, also those that sleep again', async () => {
  const clock = testClock();
  const woken: string[] = [];
  const at = () => (clock.elapsedMs() / 1000).toString();
  void clock.sleep(3000).then(() => woken.push(`third ${at()}`));
  void clock.sleep(1000).then(async () => {
    woken.push(`first ${at()}`);
    await clock.sleep(1000);
    woken.push(`second ${at()}`);
  });
  await clock.advance('2500ms');
  expect(woken).toEqual(['first 1', 'second 2']);
  await clock.advance('5m');
  expect(woken).toEqual(['first 1', 'second 2', 'third 3']);
  expect(clock.now()).toEqual(new Date('2026-01-01T00:05:02.500Z'));
  expect(clock.sleeping).toBe(0);
});

test.each([
  ['system', systemClock],
  ['test', testClock()],
])(
  'a sleep on the %s clock ends with the reason of its signal, also of one aborted before',
  async (_, clock) => {
    const controller = new AbortController();
    const waiting = clock.sleep(60_000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(clock.sleep(1, controller.signal)).rejects.toThrow('enough');
  },
);

test('the system clock sleeps at least as long as it was asked to', async () => {
  for (let round = 0; round < 20; round += 1) {
    const before = systemClock.elapsedMs();
    await systemClock.sleep(5);
    expect(systemClock.elapsedMs() - before).toBeGreaterThanOrEqual(5);
  }
});

test('a sleep longer than a timer of the platform can hold does not end at once', async () => {
  const controller = new AbortController();
  const asleep = systemClock.sleep(3_000_000_000, controller.signal).then(
    () => 'woke',
    () => 'still asleep',
  );
  await systemClock.sleep(20);
  controller.abort();
  expect(await asleep).toBe('still asleep');
});

test('a shifted clock moves the time of day and leaves measuring alone', () => {
  const base = testClock();
  let offsetMs = 0;
  const clock = shiftedClock(base, () => offsetMs);
  offsetMs = 86_400_000;
  expect(clock.now()).toEqual(new Date('2026-01-02T00:00:00Z'));
  expect(clock.elapsedMs()).toBe(0);
});

test('a sleep whose time is already over ends without a warning of the platform', async () => {
  const warnings: string[] = [];
  const note = (warning: Error) => warnings.push(warning.name);
  process.on('warning', note);
  await systemClock.sleep(-5);
  await systemClock.sleep(5);
  process.off('warning', note);
  expect(warnings).toEqual([]);
});
