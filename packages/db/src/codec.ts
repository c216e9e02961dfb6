import { parseArray } from './array-literal.ts';
import { formatTimestamptz, parseTimestamptz } from './timestamps.ts';

/** A list, object or date: what its text is depends on the column's type, which only the server knows. */
export interface TypedParameter {
  readonly text: string;
  readonly json: () => string;
  toString(): string;
}

export type EncodedParameter = string | null | TypedParameter;

const jsonOids: ReadonlySet<number> = new Set([114, 3802]);

/**
 * A parameter as text, before a driver sees it, so that both send the same. `undefined` is null. An array is an
 * array literal, and JSON where the column is json; an object is JSON.
 *
 * @throws {TypeError} on what has no text: functions, symbols, invalid dates.
 */
export function encodeParameter(value: unknown): EncodedParameter {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return null;
  if (Array.isArray(value) || value instanceof Date) {
    const text = toText(value) as string;
    return { text, json: () => JSON.stringify(value), toString: () => text };
  }
  return toText(value);
}

/** The text to send for a column of this type. */
export function textFor(oid: number, parameter: Exclude<EncodedParameter, null>): string {
  if (typeof parameter === 'string') return parameter;
  return jsonOids.has(oid) ? parameter.json() : parameter.text;
}

function toText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'object':
      if (value instanceof Date) return formatTimestamptz(value);
      if (value instanceof Uint8Array)
        return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`;
      if (Array.isArray(value)) return `{${value.map(toElement).join(',')}}`;
      return JSON.stringify(value);
    default:
      throw new TypeError(`a ${typeof value} cannot be a parameter`);
  }
}

function toElement(value: unknown): string {
  const text = toText(value);
  if (text === null) return 'NULL';
  return Array.isArray(value) ? text : `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

type Parse = (text: string) => unknown;

const asText: Parse = (text) => text;
const toBytes: Parse = (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex'));

// Element type, its array type (pg_type.dat; both are fixed), and what a value becomes. What is not listed is text.
const types: readonly (readonly [oid: number, arrayOid: number, parse: Parse])[] = [
  [16, 1000, (text) => text === 't'], // bool
  [17, 1001, toBytes], // bytea
  [20, 1016, BigInt as Parse], // int8
  [21, 1005, Number], // int2
  [23, 1007, Number], // int4
  [26, 1028, Number], // oid
  [700, 1021, Number], // float4
  [701, 1022, Number], // float8
  [114, 199, JSON.parse], // json
  [3802, 3807, JSON.parse], // jsonb
  [1184, 1185, parseTimestamptz], // timestamptz
  [18, 1002, asText], // "char"
  [19, 1003, asText], // name
  [25, 1009, asText], // text
  [650, 651, asText], // cidr
  [829, 1040, asText], // macaddr
  [869, 1041, asText], // inet
  [1042, 1014, asText], // bpchar
  [1043, 1015, asText], // varchar
  [1082, 1182, asText], // date
  [1083, 1183, asText], // time
  [1114, 1115, asText], // timestamp
  [1186, 1187, asText], // interval
  [1266, 1270, asText], // timetz
  [1560, 1561, asText], // bit
  [1562, 1563, asText], // varbit
  [1700, 1231, asText], // numeric
  [2950, 2951, asText], // uuid
];

const parsers: ReadonlyMap<number, Parse> = new Map(
  types.flatMap(([oid, arrayOid, parse]) => [
    // JSON.parse and Number take a second argument, and drivers pass one.
    [oid, (text: string) => parse(text)] as const,
    [arrayOid, (text: string) => parseArray(text, parse)] as const,
  ]),
);

/** The types that have a parser. */
export const parsedOids: readonly number[] = [...parsers.keys()];

/** What makes a value of this type from its text. */
export function parserFor(oid: number): Parse {
  return parsers.get(oid) ?? asText;
}
