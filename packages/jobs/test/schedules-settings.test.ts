import { describeSettings, InvalidSettings, parseSettings } from '@svc/core';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { defineTask, schedulesFromSettings, scheduleSettings } from '../src/index.ts';

const schema = v.object(scheduleSettings);
const read = (json: unknown) =>
  parseSettings(schema, {
    JOBS_SCHEDULE_JSON: typeof json === 'string' ? json : JSON.stringify(json),
  }).jobsScheduleJson;
const tasks = [
  defineTask({ name: 'reports.send', payload: v.object({ to: v.string() }), run: () => {} }),
  defineTask({ name: 'crm.sync', payload: v.object({}), run: () => {} }),
];

describe('JOBS_SCHEDULE_JSON', () => {
  test('has schedules beside those of the code, and none where it is absent', () => {
    const schedules = schedulesFromSettings(
      read([
        { name: 'a', task: 'crm.sync', every: '10s' },
        {
          name: 'b',
          task: 'reports.send',
          cron: '0 3 * * *',
          timeZone: 'Europe/Berlin',
          payload: { to: 'ops' },
          misfire: { all: 3 },
        },
      ]),
      tasks,
    );
    expect(schedules).toMatchObject([
      { name: 'a', task: 'crm.sync', pattern: 'every 10000ms', misfire: 'one' },
      { name: 'b', pattern: 'cron 0 3 * * * Europe/Berlin', misfire: { all: 3 } },
    ]);
    expect(schedules[1]?.payloadAt(new Date(0))).toEqual({ to: 'ops' });
    expect(parseSettings(schema, {}).jobsScheduleJson).toEqual([]);
    expect(describeSettings(schema)).toMatchObject([
      { variable: 'JOBS_SCHEDULE_JSON', default: '[]' },
    ]);
  });

  test.each([
    'no JSON',
    '{}',
    '[1]',
    [{ name: 'a', every: '10s' }],
    [{ name: 'a', task: 't', every: 10 }],
    [{ name: 'a b', task: 't', every: '10s' }],
    [{ name: 'a', task: 't', every: '10s', target: 'module:attr' }],
    [{ name: 'a', task: 't', cron: '0'.repeat(201) }],
    Array.from({ length: 1001 }, (_, i) => ({ name: `a${i}`, task: 't', every: '10s' })),
  ])('that is not such a list stops the start without showing it: %j', (json) => {
    expect(() => read(json)).toThrow(InvalidSettings);
    expect(() => read(json)).toThrow(/JOBS_SCHEDULE_JSON is invalid: expected schedules beside/);
  });

  test('lists every schedule that cannot be', () => {
    const entries = read([
      { name: 'unknown-task', task: 'crm.snyc', every: '10s' },
      { name: 'never', task: 'crm.sync', cron: '0 0 30 2 *' },
      { name: 'nowhere', task: 'crm.sync', cron: '0 3 * * *', timeZone: 'Europe/Nowhere' },
      { name: 'payload', task: 'reports.send', every: '1h', payload: { to: 5 } },
      { name: 'twice', task: 'crm.sync', every: '1h' },
      { name: 'twice', task: 'crm.sync', every: '1h' },
      { name: 'neither', task: 'crm.sync' },
    ]);
    let error: unknown;
    try {
      schedulesFromSettings(entries, tasks);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(InvalidSettings);
    const { issues } = error as InvalidSettings;
    expect(issues.map(({ expected }) => expected)).toEqual([
      'a task that exists for schedule unknown-task: there is no crm.snyc',
      expect.stringMatching(/^a schedule that can come for never: .* never comes/),
      expect.stringMatching(/^a schedule that can come for nowhere: .*no time zone/),
      'a payload that task reports.send takes for schedule payload',
      'one schedule named twice, not two',
      expect.stringMatching(/^a schedule that can come for neither: .*either every or cron/),
    ]);
  });
});
