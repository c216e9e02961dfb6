/** When ticks come. A tick is a moment that is the same for everybody who asks. */
export interface Timetable {
  /** The first tick after a moment. */
  next(after: Date): Date;
  /** The last ticks after one moment and up to another, at most so many, the oldest first. */
  last(range: { after: Date; until: Date; atMost: number }): Date[];
}

const [shortestMs, longestMs] = [1000, 366 * 86_400_000];

/**
 * A tick each `everyMs` milliseconds, counted from 1970-01-01T00:00:00Z, so that all processes agree.
 *
 * @throws {TypeError} when it is not from a second to 366 days, in whole milliseconds.
 */
export function intervalTimetable(everyMs: number): Timetable {
  if (!Number.isInteger(everyMs) || everyMs < shortestMs || everyMs > longestMs)
    throw new TypeError("every is from '1s' to '366d', in whole milliseconds");
  const numberOf = (moment: Date) => Math.floor(moment.getTime() / everyMs);
  return {
    next: (after) => new Date((numberOf(after) + 1) * everyMs),
    last: ({ after, until, atMost }) => {
      const newest = numberOf(until);
      const count = Math.max(0, Math.min(atMost, newest - numberOf(after)));
      return Array.from(
        { length: count },
        (_, at) => new Date((newest - count + 1 + at) * everyMs),
      );
    },
  };
}
