import type { Schedule } from './schedule.ts';

const missedAfterMs = 60_000;

/** The ticks to be enqueued now, the oldest first, where all up to `decidedUntil` are done with. */
export function dueTicks(
  { timetable, misfire }: Pick<Schedule, 'timetable' | 'misfire'>,
  decidedUntil: Date,
  now: Date,
): Date[] {
  const atMost = typeof misfire === 'object' ? misfire.all : 1;
  const due = timetable.last({ after: decidedUntil, until: now, atMost });
  if (misfire !== 'skip') return due;
  return due.filter((tick) => now.getTime() - tick.getTime() <= missedAfterMs);
}
