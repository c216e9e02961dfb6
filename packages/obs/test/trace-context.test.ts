import { readBaggage, readTrace, readTraceparent, readTracestate, type Trust } from '@svc/obs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { call } from './caller.ts';

const traceId = '12345678901234567890123456789012';
const parentId = '1234567890123456';
const valid = `00-${traceId}-${parentId}-01`;
const state00 = `00-${traceId}-${parentId}-00`;
const header = (value: string): [string, string] => ['traceparent', value];
const states = (...values: string[]): [string, string][] => [
  header(state00),
  ...values.map((value): [string, string] => ['tracestate', value]),
];

// One test for each test method of the W3C's harness (w3c/trace-context, test/test.py), by its name.
describe('W3C trace context', () => {
  const continues = (name: string, ...cases: [string, string][][]) =>
    test(name, async () => {
      for (const headers of cases) {
        const [sent] = await call(headers);
        expect(sent?.traceId).toBe(traceId);
        expect(sent?.spanId).not.toBe(parentId);
      }
    });
  const startsAnew = (name: string, ...cases: [string, string][][]) =>
    test(name, async () => {
      for (const headers of cases) {
        const [sent] = await call(headers);
        expect(sent?.traceparent).toMatch(
          /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[0-3]$/,
        );
        for (const [, given] of headers) expect(given).not.toContain(sent?.traceId);
      }
    });
  const keepsState = (name: string, ...cases: [string[], string][]) =>
    test(name, async () => {
      for (const [values, expected] of cases) {
        const [sent] = await call(states(...values));
        expect(sent).toMatchObject({ traceId, tracestate: expected });
      }
    });
  const dropsState = (name: string, ...cases: string[][]) =>
    test(name, async () => {
      for (const values of cases) {
        const [sent] = await call(states(...values));
        expect(sent).toMatchObject({ traceId, tracestate: null });
      }
    });

  startsAnew('both_traceparent_and_tracestate_missing', []);
  continues('traceparent_included_tracestate_missing', [header(valid)]);
  startsAnew('traceparent_duplicated', [header(valid.replace('9012-', '9011-')), header(valid)]);
  startsAnew('traceparent_header_name', [['trace-parent', valid]], [['trace.parent', valid]]);
  continues(
    'traceparent_header_name_valid_casing',
    [['TraceParent', valid]],
    [['TrAcEpArEnT', valid]],
    [['TRACEPARENT', valid]],
  );
  startsAnew('traceparent_version_0x00', [header(`${valid}.`)], [header(`${valid}-what-comes`)]);
  const later = valid.replace(/^00/, 'cc');
  continues('traceparent_version_0xcc', [header(later)], [header(`${later}-what-comes`)]);
  startsAnew('traceparent_version_0xcc, not parted by a dash', [header(`${later}.what-comes`)]);
  startsAnew('traceparent_version_0xff', [header(valid.replace(/^00/, 'ff'))]);
  startsAnew(
    'traceparent_version_illegal_characters',
    [header(valid.replace(/^00/, '.0'))],
    [header(valid.replace(/^00/, '0.'))],
  );
  startsAnew('traceparent_version_too_long', [header(`0${valid}`)], [header(`00${valid}`)]);
  startsAnew('traceparent_version_too_short', [header(valid.slice(1))]);
  startsAnew('traceparent_trace_id_all_zero', [header(`00-${'0'.repeat(32)}-${parentId}-01`)]);
  startsAnew(
    'traceparent_trace_id_illegal_characters',
    [header(valid.replace('-1', '-.'))],
    [header(valid.replace('2-', '.-'))],
    [header(valid.replace('-1', '-A'))],
  );
  startsAnew('traceparent_trace_id_too_long', [header(valid.replace('012-', '0123-'))]);
  startsAnew('traceparent_trace_id_too_short', [header(valid.replace('012-', '01-'))]);
  startsAnew('traceparent_parent_id_all_zero', [header(`00-${traceId}-${'0'.repeat(16)}-01`)]);
  startsAnew(
    'traceparent_parent_id_illegal_characters',
    [header(`00-${traceId}-.234567890123456-01`)],
    [header(`00-${traceId}-123456789012345.-01`)],
  );
  startsAnew('traceparent_parent_id_too_long', [header(`00-${traceId}-${parentId}7-01`)]);
  startsAnew('traceparent_parent_id_too_short', [header(`00-${traceId}-123456789012345-01`)]);
  startsAnew(
    'traceparent_trace_flags_illegal_characters',
    [header(`00-${traceId}-${parentId}-.0`)],
    [header(`00-${traceId}-${parentId}-0.`)],
  );
  startsAnew('traceparent_trace_flags_too_long', [header(`00-${traceId}-${parentId}-001`)]);
  startsAnew('traceparent_trace_flags_too_short', [header(`00-${traceId}-${parentId}-1`)]);
  continues(
    'traceparent_ows_handling',
    ...[` ${valid}`, `\t${valid}`, `${valid} `, `${valid}\t`, `\t ${valid} \t`].map((each) => [
      header(each),
    ]),
  );
  test('tracestate_included_traceparent_missing', async () => {
    for (const value of ['foo=1', 'foo=1,bar=2'])
      expect((await call([['tracestate', value]]))[0]).toMatchObject({ tracestate: null });
  });
  keepsState('tracestate_included_traceparent_included', [['foo=1,bar=2'], 'foo=1,bar=2']);
  test('tracestate_header_name', async () => {
    for (const name of ['trace-state', 'trace.state'])
      expect((await call([header(state00), [name, 'foo=1']]))[0]).toMatchObject({
        tracestate: null,
      });
  });
  test('tracestate_header_name_valid_casing', async () => {
    for (const name of ['TraceState', 'TrAcEsTaTe', 'TRACESTATE'])
      expect((await call([header(state00), [name, 'foo=1']]))[0]).toMatchObject({
        tracestate: 'foo=1',
      });
  });
  dropsState('tracestate_empty_header', ['']);
  keepsState(
    'tracestate_empty_header beside another',
    [['foo=1', ''], 'foo=1'],
    [['', 'foo=1'], 'foo=1'],
  );
  keepsState('tracestate_multiple_headers_different_keys', [
    ['foo=1,bar=2', 'rojo=1,congo=2', 'baz=3'],
    'foo=1,bar=2,rojo=1,congo=2,baz=3',
  ]);
  dropsState(
    'tracestate_duplicated_keys',
    ['foo=1,foo=1'],
    ['foo=1,foo=2'],
    ['foo=1', 'foo=1'],
    ['foo=1', 'foo=2'],
  );
  const span = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, at) => String.fromCodePoint(from + at)).join('');
  const key = `${span(0x61, 0x7a)}0123456789_-*/`;
  const value = `${span(0x20, 0x2b)}${span(0x2d, 0x3c)}${span(0x3e, 0x7e)}`;
  keepsState(
    'tracestate_all_allowed_characters',
    [[`${key}=${value}`], `${key}=${value}`],
    [[`${key}@a-z0-9_-*/=${value}`], `${key}@a-z0-9_-*/=${value}`],
  );
  keepsState(
    'tracestate_ows_handling',
    [['foo=1 \t , \t bar=2, \t baz=3'], 'foo=1,bar=2,baz=3'],
    [['foo=1\t \t,\t \tbar=2,\t \tbaz=3'], 'foo=1,bar=2,baz=3'],
    ...[' foo=1', '\tfoo=1', 'foo=1 ', 'foo=1\t', '\t foo=1 \t'].map((each): [string[], string] => [
      [each],
      'foo=1',
    ]),
  );
  dropsState('tracestate_key_illegal_characters', ['foo =1'], ['FOO=1'], ['foo.bar=1']);
  dropsState(
    'tracestate_key_illegal_vendor_format',
    ['foo@=1,bar=2'],
    ['@foo=1,bar=2'],
    ['foo@@bar=1,bar=2'],
    ['foo@bar@baz=1,bar=2'],
  );
  const members = (count: number) =>
    Array.from({ length: count }, (_, at) => `bar${at + 1}=${at + 1}`).join(',');
  keepsState('tracestate_member_count_limit, 32', [
    [members(20), members(32).slice(members(20).length + 1)],
    members(32),
  ]);
  dropsState('tracestate_member_count_limit, 33', [members(33)]);
  keepsState(
    'tracestate_key_length_limit, as long as may be',
    [['foo=1', `${'z'.repeat(256)}=1`], `foo=1,${'z'.repeat(256)}=1`],
    [
      ['foo=1', `${'t'.repeat(241)}@${'v'.repeat(14)}=1`],
      `foo=1,${'t'.repeat(241)}@${'v'.repeat(14)}=1`,
    ],
  );
  dropsState(
    'tracestate_key_length_limit, longer',
    ['foo=1', `${'z'.repeat(257)}=1`],
    ['foo=1', `${'t'.repeat(242)}@v=1`],
    ['foo=1', `t@${'v'.repeat(15)}=1`],
  );
  dropsState('tracestate_value_illegal_characters', ['foo=bar=baz'], ['foo=,bar=3']);
  test('multiple_requests_with_valid_traceparent', async () => {
    const sent = await call([header(valid)], { times: 3 });
    expect(new Set(sent.map((each) => each.traceId))).toEqual(new Set([traceId]));
    expect(new Set(sent.map((each) => each.spanId)).size).toBe(3);
  });
  test('multiple_requests_without_traceparent', async () => {
    const sent = await call([], { times: 3 });
    expect(new Set(sent.map((each) => each.spanId)).size).toBe(3);
  });
  test('multiple_requests_with_illegal_traceparent', async () => {
    const sent = await call([header(`00-${'0'.repeat(32)}-${parentId}-01`)], { times: 3 });
    expect(sent.map((each) => each.traceId)).not.toContain('0'.repeat(32));
    expect(new Set(sent.map((each) => each.spanId)).size).toBe(3);
  });
});

test('at the edge nothing of what a client says is continued; in a mesh its flags are kept', async () => {
  const headers: [string, string][] = [header(valid), ['tracestate', 'foo=1'], ['baggage', 'a=1']];
  const [edge] = await call(headers, { trust: 'edge' });
  expect(edge).toMatchObject({ tracestate: null, baggage: null });
  expect(edge?.traceId).not.toBe(traceId);
  const [mesh] = await call(headers, { trust: 'mesh' });
  expect(mesh).toMatchObject({ traceId, tracestate: 'foo=1', baggage: 'a=1' });
  expect(mesh?.traceparent).toMatch(/-01$/);
});

test('a flag that is not defined is not handed on', () => {
  expect(readTraceparent(valid.replace(/01$/, 'ff'))).toMatchObject({
    sampled: true,
    random: true,
  });
  expect(readTraceparent(valid.replace(/01$/, 'fc'))).toMatchObject({
    sampled: false,
    random: false,
  });
});

test('baggage is taken as the W3C writes it, at most 64 members and 8192 bytes', () => {
  expect(readBaggage(' a=1 ; p ; q=2 , b = %20x ')).toBe('a=1 ; p ; q=2,b = %20x');
  for (const bad of ['a', 'a=1,b', '=1', 'a b=1', 'a=x y', 'a="1"', 'a=1;=2', 'a=\u00e9', ''])
    expect(readBaggage(bad), bad).toBeUndefined();
  const many = (count: number) => Array.from({ length: count }, (_, at) => `k${at}=v`).join(',');
  expect(readBaggage(many(64))).toBe(many(64));
  expect(readBaggage(many(65))).toBeUndefined();
  expect(readBaggage(`a=${'x'.repeat(8190)}`)).toHaveLength(8192);
  expect(readBaggage(`a=${'x'.repeat(8191)}`)).toBeUndefined();
});

test('whatever comes, what is read is what may be sent', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.constantFrom<Trust>('edge', 'mesh'), (a, b, trust) => {
      const found = readTrace(
        (name) => (name === 'traceparent' ? valid : name === 'tracestate' ? a : b),
        trust,
      );
      if (found === undefined) return trust === 'edge';
      for (const text of [found.tracestate, found.baggage])
        if (!/^[\x20-\x7e]*$/.test(text)) return false;
      return readTracestate(found.tracestate) === (found.tracestate || undefined);
    }),
  );
});
