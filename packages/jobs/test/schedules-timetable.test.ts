import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { defineSchedule, defineTask } from '../src/index.ts';
import { cronTimetable } from '../src/schedules/cron.ts';
import { dueTicks } from '../src/schedules/due.ts';
import { intervalTimetable, type Timetable } from '../src/schedules/timetable.ts';

function ticksFrom(timetable: Timetable, from: string, count: number): string[] {
  const ticks: Date[] = [];
  for (let at = new Date(from); ticks.length < count;) {
    at = timetable.next(at);
    ticks.push(at);
  }
  return ticks.map((tick) => tick.toISOString().replace(':00.000Z', 'Z'));
}

describe('cron and summer time', () => {
  test.each([
    [
      'a time in the gap comes at the first moment after it (New York, 8 March)',
      ['30 2 * * *', 'America/New_York', '2026-03-07T12:00:00Z'],
      ['2026-03-08T07:00Z', '2026-03-09T06:30Z', '2026-03-10T06:30Z'],
    ],
    [
      'so does one of several',
      ['30 2,14 * * *', 'America/New_York', '2026-03-07T20:00:00Z'],
      ['2026-03-08T07:00Z', '2026-03-08T18:30Z', '2026-03-09T06:30Z'],
    ],
    [
      'a time that comes twice is ticked the first time only (New York, 1 November)',
      ['30 1 * * *', 'America/New_York', '2026-10-31T12:00:00Z'],
      ['2026-11-01T05:30Z', '2026-11-02T06:30Z'],
    ],
    [
      'each hour is each real hour over the fold',
      ['0 * * * *', 'America/New_York', '2026-11-01T04:30:00Z'],
      ['2026-11-01T05:00Z', '2026-11-01T06:00Z', '2026-11-01T07:00Z'],
    ],
    [
      'each half hour is each real half hour over the gap',
      ['*/30 * * * *', 'America/New_York', '2026-03-08T06:00:00Z'],
      ['2026-03-08T06:30Z', '2026-03-08T07:00Z', '2026-03-08T07:30Z'],
    ],
    [
      'a gap of half an hour loses no day (Lord Howe, 4 October)',
      ['15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T00:00:00Z'],
      ['2026-10-03T15:30Z', '2026-10-04T15:15Z'],
    ],
    [
      'a fold of half an hour repeats nothing (Lord Howe, 5 April)',
      ['45 1 * * *', 'Australia/Lord_Howe', '2026-04-03T20:00:00Z'],
      ['2026-04-04T14:45Z', '2026-04-05T15:15Z'],
    ],
    [
      'a day that did not exist has no tick of its own (Apia, 30 December 2011)',
      ['0 12 * * *', 'Pacific/Apia', '2011-12-28T23:00:00Z'],
      ['2011-12-29T22:00Z', '2011-12-30T22:00Z', '2011-12-31T22:00Z'],
    ],
    [
      'a yearly tick on it comes the year after',
      ['0 12 30 12 *', 'Pacific/Apia', '2011-01-01T00:00:00Z'],
      ['2012-12-29T22:00Z'],
    ],
    [
      'midnight in the gap comes at one o’clock (São Paulo, 4 November 2018)',
      ['0 0 * * *', 'America/Sao_Paulo', '2018-11-03T12:00:00Z'],
      ['2018-11-04T03:00Z', '2018-11-05T02:00Z'],
    ],
  ] as const)('%s', (_, [pattern, timeZone, from], expected) => {
    const timetable = cronTimetable(pattern, { timeZone, seconds: false });
    expect(ticksFrom(timetable, from, expected.length)).toEqual(expected);
  });
});

describe('a cron pattern', () => {
  const parse = (pattern: string, options = {}) =>
    cronTimetable(pattern, { timeZone: 'UTC', seconds: false, ...options });

  test.each(['0 0 30 2 *', '0 0 31 2,4,6,9,11 *', '0 0 30 2 * '])(
    'that never comes is refused: %s',
    (pattern) => {
      expect(() => parse(pattern)).toThrow(/never comes/);
    },
  );

  test.each([
    '',
    ' ',
    '* * * *',
    '* * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '*/0 * * * *',
    '2030-01-01T00:00:00Z',
    '@reboot',
    '@sometimes',
    '0 0 * * * 2030 1',
    `0 0 ${Array.from({ length: 100 }, () => '1').join(',')} * *`,
  ])('that is none is refused: %s', (pattern) => {
    expect(() => parse(pattern)).toThrow(TypeError);
  });

  test('has seconds only where they are asked for', () => {
    expect(() => parse('*/10 * * * * *')).toThrow(/five fields/);
    const timetable = parse('*/10 * * * * *', { seconds: true });
    expect(timetable.next(new Date('2026-01-01T00:00:03Z'))).toEqual(
      new Date('2026-01-01T00:00:10Z'),
    );
  });

  test('may be a name, has 29 February, and takes Sunday as 0 and 7', () => {
    expect(ticksFrom(parse('@weekly'), '2026-01-01T00:00:00Z', 1)).toEqual(['2026-01-04T00:00Z']);
    expect(ticksFrom(parse('0 0 29 2 *'), '2026-01-01T00:00:00Z', 2)).toEqual([
      '2028-02-29T00:00Z',
      '2032-02-29T00:00Z',
    ]);
    for (const sunday of ['0', '7', 'SUN'])
      expect(ticksFrom(parse(`0 0 * * ${sunday}`), '2026-01-01T00:00:00Z', 1)).toEqual([
        '2026-01-04T00:00Z',
      ]);
  });

  test.each(['Europe/Nowhere', '+02:00', '', '../etc', 'x'.repeat(1000)])(
    'with a time zone that is none is refused: %s',
    (timeZone) => {
      expect(() => parse('0 3 * * *', { timeZone })).toThrow(/no time zone/);
    },
  );
});

const hours = fc.date({
  min: new Date('2007-01-01T00:00:00Z'),
  max: new Date('2040-01-01T00:00:00Z'),
  noInvalidDate: true,
});
// The switches of summer time, where arithmetic goes wrong, and around them.
const switches = fc
  .tuple(
    fc.constantFrom(
      '2026-03-08T07:00:00Z',
      '2026-11-01T06:00:00Z',
      '2026-10-03T15:30:00Z',
      '2026-04-04T15:00:00Z',
      '2026-03-29T01:00:00Z',
      '2026-10-25T01:00:00Z',
      '2011-12-30T10:00:00Z',
    ),
    fc.integer({ min: -90_000_000, max: 90_000_000 }),
  )
  .map(([at, byMs]) => new Date(new Date(at).getTime() + byMs));
const moments = fc.oneof(hours, switches);
const timetables = fc.oneof(
  fc
    .integer({ min: 1000, max: 366 * 86_400_000 })
    .map((everyMs) => ({ timetable: intervalTimetable(everyMs), what: `${everyMs}ms` })),
  fc
    .tuple(
      fc.constantFrom(
        ['*/10 * * * * *', '0 * * * *', '*/7 * * * *', '30 2 * * *', '30 1 * * *', '15 2 * * *'],
        ['45 1,2 * * *', '0 0 * * *', '0-30/10 1-3 * * *', '0 0 L * *', '0 9 * * MON#1'],
        ['0 12 30 12 *', '0 0 29 2 *', '30 */2 * * *', '59 23 31 12 *', '5 0 13 * FRI'],
      ),
      fc.nat(),
      fc.constantFrom(
        'UTC',
        'America/New_York',
        'Australia/Lord_Howe',
        'Pacific/Apia',
        'Europe/Berlin',
        'Asia/Kolkata',
      ),
    )
    .map(([patterns, at, timeZone]) => {
      const pattern = patterns[at % patterns.length] as string;
      const timetable = cronTimetable(pattern, { timeZone, seconds: true });
      return { timetable, what: `${pattern} ${timeZone}` };
    }),
);

describe('any timetable', () => {
  test('goes forward, and a tick is the same for everybody who asks before it', () => {
    fc.assert(
      fc.property(
        timetables,
        moments,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (of, at, part) => {
          const tick = of.timetable.next(at);
          expect(tick.getTime()).toBeGreaterThan(at.getTime());
          const between = new Date(
            Math.floor(at.getTime() + (tick.getTime() - 1 - at.getTime()) * part),
          );
          expect(of.timetable.next(between)).toEqual(tick);
          expect(of.timetable.next(tick).getTime()).toBeGreaterThan(tick.getTime());
        },
      ),
      { numRuns: 500 },
    );
  });

  test('gives the same ticks backward as forward, each once, up to and with the last moment', () => {
    fc.assert(
      fc.property(timetables, moments, fc.integer({ min: 0, max: 12 }), (of, after, count) => {
        const forward: Date[] = [];
        for (let at = after; forward.length < count;) forward.push((at = of.timetable.next(at)));
        const until = forward.at(-1) ?? after;
        expect(of.timetable.last({ after, until, atMost: 100 })).toEqual(forward);
        expect(of.timetable.last({ after, until, atMost: 3 })).toEqual(forward.slice(-3));
        const justBefore = new Date(until.getTime() - 1);
        expect(of.timetable.last({ after, until: justBefore, atMost: 100 })).toEqual(
          forward.slice(0, -1),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('looked at again and again gives each tick once, whenever one looks', () => {
    fc.assert(
      fc.property(
        timetables,
        moments,
        fc.array(fc.integer({ min: -5000, max: 400_000_000 }), { maxLength: 20 }),
        (of, start, steps) => {
          let [now, decidedUntil] = [start, start];
          const seen: number[] = [];
          for (const step of steps) {
            now = new Date(now.getTime() + step);
            const due = dueTicks({ ...of, misfire: { all: 40 } }, decidedUntil, now);
            seen.push(...due.map((tick) => tick.getTime()));
            decidedUntil = due.at(-1) ?? decidedUntil;
          }
          expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('ticks that were missed', () => {
  const timetable = intervalTimetable(60_000);
  const since = new Date('2026-01-01T00:00:00Z');
  const due = (misfire: 'skip' | 'one' | { all: number }, now: string) =>
    dueTicks({ timetable, misfire }, since, new Date(`2026-01-01T${now}Z`)).map((tick) =>
      tick.toISOString().slice(11, 19),
    );

  test("with 'one' the last is made up for, with { all } each up to the bound", () => {
    expect(due('one', '00:05:30')).toEqual(['00:05:00']);
    expect(due({ all: 3 }, '00:05:30')).toEqual(['00:03:00', '00:04:00', '00:05:00']);
    expect(due({ all: 10 }, '00:05:30')).toHaveLength(5);
    expect(due('one', '00:00:59')).toEqual([]);
  });

  test("with 'skip' one that is more than a minute late is not", () => {
    const daily = cronTimetable('0 3 * * *', { timeZone: 'UTC', seconds: false });
    const at = (now: string) =>
      dueTicks({ timetable: daily, misfire: 'skip' }, since, new Date(`2026-01-01T${now}Z`)).length;
    expect([at('02:59:59'), at('03:00:00'), at('03:01:00'), at('03:01:01')]).toEqual([0, 1, 1, 0]);
  });

  test('a second’s schedule that stood still for a year is looked at in no time', () => {
    const second = intervalTimetable(1000);
    const range = { after: since, until: new Date('2027-01-01T00:00:00Z'), atMost: 10_000 };
    expect(second.last(range)).toHaveLength(10_000);
    const cron = cronTimetable('* * * * * *', { timeZone: 'Europe/Berlin', seconds: true });
    expect(cron.last({ ...range, atMost: 1 })).toEqual([range.until]);
  });
});

describe('what is no schedule is refused', () => {
  const report = defineTask({
    name: 'report',
    payload: v.object({ day: v.string() }),
    run: () => {},
  });
  const base = { name: 'a', task: 't', every: '10s' } as const;
  test.each([
    ['a name with a blank', { ...base, name: 'a b' }],
    ['no name', { ...base, name: '' }],
    ['half a second', { ...base, every: '500ms' }],
    ['zero', { ...base, every: '0s' }],
    ['a part of a millisecond', { ...base, every: '1000.5ms' }],
    ['over a year', { ...base, every: '367d' }],
    ['no duration', { ...base, every: 'soon' }],
    ['both', { ...base, cron: '0 3 * * *' }],
    ['neither', { name: 'a', task: 't' }],
    ['no bound', { ...base, misfire: { all: Infinity } }],
    ['a bound of none', { ...base, misfire: { all: 0 } }],
    ['another word', { ...base, misfire: 'never' }],
    ['a payload that its task does not take', { ...base, task: report, payload: { day: 1 } }],
    ['no payload where its task takes one', { ...base, task: report }],
  ])('%s', (_, options) => {
    expect(() => defineSchedule(options as never)).toThrow(TypeError);
  });
});
