import { describe, expect } from 'vitest';
import { databaseTest } from '../src/testing.ts';
import { runProgram, runtimes } from './runtimes.ts';

const test = databaseTest();
// A zone with an odd offset, and one that skips an hour on the day that the program uses.
const zones = ['Asia/Kathmandu', 'Europe/Berlin'];

type Seen = [string, unknown][];

async function see(command: string, url: string, TZ: string): Promise<Seen> {
  const program = runProgram(command, 'round-trip', [url], { TZ });
  const seen = await program.next<Seen>();
  expect(await program.ended).toMatchObject({ code: 0, stderr: '' });
  return seen;
}

describe('the JavaScript types of values', () => {
  test('are the same on PostgreSQL and PGlite, on Node and Bun, in any time zone', async ({
    database,
  }) => {
    const [first, ...others] = await Promise.all(
      runtimes.flatMap(({ command }, i) => [
        see(command, database.urls!.url, zones[i]!),
        see(command, 'pglite://memory', zones[1 - i]!),
      ]),
    );
    for (const other of others) expect(other).toEqual(first);
    const seen = Object.fromEntries(first as Seen);
    const [uuid, day] = [
      'string 00000000-0000-7000-8000-000000000001',
      'Date 2026-01-01T00:00:00.000Z',
    ];
    expect(seen).toMatchObject({
      '1::int4': 'number 1',
      '9007199254740993::int8': 'bigint 9007199254740993',
      'count(*)': 'bigint 1',
      'sum(1::int4)': 'bigint 1',
      'sum(1::int8)': 'string 1',
      '1.50::numeric': 'string 1.50',
      "'-Infinity'::float8": 'number -Infinity',
      true: 'boolean true',
      "'\\x00ff'::bytea": 'Uint8Array 00ff',
      'null::text': null,
      "'2026-03-29 02:30:00.123456+05:45'::timestamptz": 'Date 2026-03-28T20:45:00.123Z',
      "'0044-03-15 12:00:00+00 BC'::timestamptz": 'Date -000043-03-15T12:00:00.000Z',
      "'12026-01-01 00:00:00+00'::timestamptz": 'Date +012026-01-01T00:00:00.000Z',
      "'0050-06-01 00:00:00+00'::timestamptz": 'Date 0050-06-01T00:00:00.000Z',
      "'infinity'::timestamptz": 'number Infinity',
      "'-infinity'::timestamptz": 'number -Infinity',
      "'2026-03-29'::date": 'string 2026-03-29',
      "'2026-03-29 02:30:00'::timestamp": 'string 2026-03-29 02:30:00',
      "array['a',null,'NULL','x,\"y\\z{}','']": [
        'string a',
        null,
        'string NULL',
        'string x,"y\\z{}',
        'string ',
      ],
      'array[1::int8,null]': ['bigint 1', null],
      "array['2026-01-01 00:00:00+00'::timestamptz,null,'infinity']": [
        day,
        null,
        'number Infinity',
      ],
      'array[[1,2],[3,null]]': [
        ['number 1', 'number 2'],
        ['number 3', null],
      ],
      "'[0:1]={7,8}'::int4[]": ['number 7', 'number 8'],
      "array['00000000-0000-7000-8000-000000000001'::uuid]": [uuid],
      'jsonb ["number 1","string a","object {\\"b\\":null}"]': [
        'number 1',
        'string a',
        'object {"b":null}',
      ],
      'jsonb "string {\\"a\\":1}"': 'object {"a":1}',
      'jsonb "Date 2026-01-01T00:00:00.000Z"': 'string 2026-01-01T00:00:00.000Z',
      'bool[] ["boolean true","boolean false"]': ['boolean true', 'boolean false'],
      'timestamptz "Date -000043-03-15T12:00:00.000Z"': 'Date -000043-03-15T12:00:00.000Z',
      'text null': null,
      inserted: 'bigint 2',
      updated: 'bigint 2',
      deleted: 'bigint 0',
    });
  }, 60_000);
});
