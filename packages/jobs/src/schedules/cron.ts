import { Cron } from 'croner';
import type { Timetable } from './timetable.ts';

export interface CronOptions {
  /** An IANA name. */
  timeZone: string;
  /** Whether a sixth field, for seconds, may stand in front. */
  seconds: boolean;
}

const longestPattern = 200;
// Patterns repeat after 400 years; from here to the end of what is searched is longer.
const before = new Date('2000-01-01T00:00:00Z');

/**
 * The ticks of a cron pattern: five fields (Vixie cron, with `L`, `W`, `#`) or a name such as `@daily`. In a gap of the
 * local time a time of day comes at the first moment after it, and a repeated one the first time only; what is given
 * by a wildcard or a step follows real time.
 *
 * @throws {TypeError} when it is no pattern, never comes, or the time zone is unknown.
 */
export function cronTimetable(pattern: string, { timeZone, seconds }: CronOptions): Timetable {
  assertTimeZone(timeZone);
  const cron = parse(pattern, timeZone, seconds);
  return {
    next: (after) => {
      const next = cron.nextRun(after);
      if (next === null) throw new RangeError('beyond the last tick that can be known');
      return next;
    },
    last: ({ after, until, atMost }) => {
      const ticks: Date[] = [];
      // What croner gives is before its reference, which it reads in whole seconds.
      let reference = new Date(Math.floor(until.getTime() / 1000) * 1000 + 1000);
      while (ticks.length < atMost) {
        const [tick] = cron.previousRuns(1, reference);
        if (tick === undefined || tick <= after) break;
        ticks.push(tick);
        reference = tick;
      }
      return ticks.toReversed();
    },
  };
}

function parse(pattern: string, timeZone: string, seconds: boolean): Cron {
  const written = pattern.trim();
  // croner also takes a date for a pattern.
  const isPattern = written.startsWith('@') || written.split(/\s+/).length >= 5;
  if (pattern.length > longestPattern || !isPattern) throw notPattern(pattern, seconds);
  let cron: Cron;
  try {
    const mode = seconds ? '5-or-6-parts' : '5-part';
    cron = new Cron(written, { timezone: timeZone, mode, fixedTimeRule: 'no-wildcard' });
  } catch (error) {
    throw notPattern(pattern, seconds, error);
  }
  if (cron.nextRun(before) === null)
    throw new TypeError(`the cron pattern '${written}' never comes: there is no such day`);
  return cron;
}

function notPattern(pattern: string, seconds: boolean, cause?: unknown): TypeError {
  const fields = seconds ? 'five or six fields' : 'five fields';
  return new TypeError(
    `'${pattern.slice(0, longestPattern)}' is no cron pattern: ${fields} such as '0 3 * * *', of at most ${longestPattern} characters`,
    { cause },
  );
}

// An offset has no summer time: who writes one most likely wants a place.
function assertTimeZone(timeZone: string): void {
  try {
    if (!/^[A-Za-z]/.test(timeZone)) throw new RangeError('not a name');
    new Intl.DateTimeFormat('en', { timeZone });
  } catch (error) {
    const shown = timeZone.slice(0, 64);
    throw new TypeError(`'${shown}' is no time zone: an IANA name such as 'Europe/Berlin'`, {
      cause: error,
    });
  }
}
