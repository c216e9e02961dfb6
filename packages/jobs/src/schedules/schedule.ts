import { type Duration, toMs } from '@svc/core';
import type { AnyTask, PayloadOf } from '../task.ts';
import * as v from 'valibot';
import { cronTimetable } from './cron.ts';
import { intervalTimetable, type Timetable } from './timetable.ts';

/**
 * What becomes of ticks that came while no scheduler ran, and of several that are due at once:
 *
 * - `'one'`: the last of them is enqueued, however late.
 * - `'skip'`: the last of them, unless it is more than a minute late.
 * - `{ all: max }`: each of them, of more than `max` the last.
 */
export type Misfire = 'skip' | 'one' | { readonly all: number };

/** When a schedule ticks. */
export type When =
  | {
      /** From `'1s'` to `'366d'`, counted from 1970-01-01T00:00:00Z: `'10m'` is at :00, :10, :20. */
      every: Duration;
      cron?: never;
      timeZone?: never;
      seconds?: never;
    }
  | {
      every?: never;
      /** Five fields, such as `'0 3 * * *'`, or a name such as `@daily`. */
      cron: string;
      /** An IANA name. @default 'UTC' */
      timeZone?: string;
      /** Whether a sixth field, for seconds, may stand in front. @default false */
      seconds?: boolean;
    };

export type ScheduleOptions<T extends AnyTask = AnyTask> = When & {
  /** It is stored: a new name is a new schedule. At most 100 characters. */
  name: string;
  /** The task that each tick enqueues, or its name. */
  task: string | T;
  /** What the job is given, or what makes it from the tick. @default {} */
  payload?: PayloadOf<T> | ((tickAt: Date) => PayloadOf<T>);
  /** @default 'one' */
  misfire?: Misfire;
};

/** A task that is enqueued again and again. */
export interface Schedule {
  readonly name: string;
  readonly task: string;
  /** When it ticks, in words; another text is another pattern. */
  readonly pattern: string;
  readonly timetable: Timetable;
  readonly misfire: Misfire;
  payloadAt(tickAt: Date): unknown;
}

/** Declares a schedule. @throws {TypeError} when its pattern never comes, or an option is not usable. */
export function defineSchedule<T extends AnyTask = AnyTask>(options: ScheduleOptions<T>): Schedule {
  const { name, task, payload = {}, misfire = 'one' } = options;
  if (!/^[\w.:-]{1,100}$/.test(name))
    throw new TypeError(
      'a schedule is named with 1 to 100 letters, digits, dots, colons, hyphens and underscores',
    );
  assertMisfire(misfire);
  if (typeof task !== 'string' && typeof payload !== 'function' && !v.is(task.payload, payload))
    throw new TypeError(`the payload of schedule '${name}' is not what task '${task.name}' takes`);
  return {
    name,
    task: typeof task === 'string' ? task : task.name,
    misfire,
    ...readWhen(options),
    payloadAt: (tickAt) =>
      typeof payload === 'function' ? (payload as (tickAt: Date) => unknown)(tickAt) : payload,
  };
}

function readWhen({ every, cron, timeZone = 'UTC', seconds = false }: When) {
  if ((every === undefined) === (cron === undefined))
    throw new TypeError('a schedule has either every or cron');
  if (every !== undefined) {
    const everyMs = toMs(every);
    return { pattern: `every ${everyMs}ms`, timetable: intervalTimetable(everyMs) };
  }
  const fields = cron.trim().split(/\s+/).join(' ');
  return {
    pattern: `cron ${fields} ${timeZone}`,
    timetable: cronTimetable(cron, { timeZone, seconds }),
  };
}

const mostAtOnce = 10_000;

function assertMisfire(misfire: Misfire): void {
  if (misfire === 'one' || misfire === 'skip') return;
  const { all } = misfire;
  if (!Number.isInteger(all) || all < 1 || all > mostAtOnce)
    throw new TypeError(
      `misfire is 'skip', 'one', or { all } with a number from 1 to ${mostAtOnce}`,
    );
}
