import { type Duration, InvalidSettings, type SettingIssue } from '@svc/core';
import * as v from 'valibot';
import type { AnyTask } from '../task.ts';
import { defineSchedule, type Schedule, type ScheduleOptions } from './schedule.ts';

const variable = 'JOBS_SCHEDULE_JSON';

const Name = v.pipe(v.string(), v.regex(/^[\w.:-]{1,100}$/));
const Entry = v.strictObject({
  name: Name,
  task: Name,
  payload: v.optional(v.record(v.string(), v.unknown()), {}),
  every: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,15}(?:ms|s|m|h|d)$/),
      v.transform((value) => value as Duration),
    ),
  ),
  cron: v.optional(v.pipe(v.string(), v.maxLength(200))),
  timeZone: v.optional(v.pipe(v.string(), v.maxLength(64))),
  seconds: v.optional(v.boolean()),
  misfire: v.optional(
    v.union([
      v.picklist(['skip', 'one']),
      v.strictObject({ all: v.pipe(v.number(), v.integer()) }),
    ]),
  ),
});

/** A schedule as an operator writes it. */
export type ScheduleEntry = v.InferOutput<typeof Entry>;

/** The variables of schedules, to be spread into an app's settings schema. */
export const scheduleSettings = {
  JOBS_SCHEDULE_JSON: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(100_000),
      v.parseJson(),
      v.array(Entry),
      v.maxLength(1000),
      v.description(
        'schedules beside those of the code: a JSON list of objects with name, task, every ("10s") or cron ("0 3 * * *") and, if wanted, timeZone, seconds, payload, misfire ("skip", "one" or {"all": 10})',
      ),
    ),
    '[]',
  ),
};

/**
 * The schedules that an operator wrote, for tasks that exist.
 *
 * @throws {InvalidSettings} that lists every schedule whose task, pattern, time zone or payload is not usable.
 */
export function schedulesFromSettings(
  entries: readonly ScheduleEntry[],
  tasks: readonly AnyTask[],
): Schedule[] {
  const issues: SettingIssue[] = [];
  const schedules: Schedule[] = [];
  const names = new Set<string>();
  const isNot = (expected: string) => issues.push({ variable, problem: 'invalid', expected });
  for (const entry of entries) {
    const task = tasks.find(({ name }) => name === entry.task);
    if (names.has(entry.name)) isNot(`one schedule named ${entry.name}, not two`);
    names.add(entry.name);
    if (task === undefined)
      isNot(`a task that exists for schedule ${entry.name}: there is no ${entry.task}`);
    else if (!v.safeParse(task.payload, entry.payload).success)
      isNot(`a payload that task ${entry.task} takes for schedule ${entry.name}`);
    try {
      schedules.push(defineSchedule(withoutUndefined(entry)));
    } catch (error) {
      isNot(`a schedule that can come for ${entry.name}: ${(error as Error).message}`);
    }
  }
  if (issues.length > 0) throw new InvalidSettings(issues);
  return schedules;
}

// `exactOptionalPropertyTypes`: what JSON left out is not there.
function withoutUndefined(entry: ScheduleEntry): ScheduleOptions {
  const given = Object.entries(entry).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as ScheduleOptions;
}
