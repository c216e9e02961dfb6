import { canonicalJson } from '@svc/core';
import * as v from 'valibot';
import { PayloadTooLarge } from './failures.ts';

type PayloadSchema = v.GenericSchema<unknown, unknown>;

/** An event that tenants can be told of. */
export interface EventType<Schema extends PayloadSchema = PayloadSchema> {
  readonly type: string;
  readonly version: number;
  readonly payload: Schema;
  /** What endpoints' owners read of it. */
  readonly description: string;
}

export interface EventTypeOptions<Schema extends PayloadSchema> {
  /** Words of letters, digits and underscores, parted by full stops: `project.created`. */
  type: string;
  /** Grows when receivers must change. @default 1 */
  version?: number;
  /** What `data` is on the wire. */
  payload: Schema;
  /** @default '' */
  description?: string;
}

const typePattern = /^[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*$/;
const filterPattern = /^([a-zA-Z0-9_]+\.)*(\*|[a-zA-Z0-9_]+)$/;

/** What `endpoints.test` sends. */
export const testType = 'webhooks.test';

/** Declares an event type: `defineEventType({ type: 'project.created', payload: v.object({ id: v.string() }) })`. @throws {TypeError} on a type that has no such form. */
export function defineEventType<const Schema extends PayloadSchema>({
  type,
  version = 1,
  payload,
  description = '',
}: EventTypeOptions<Schema>): EventType<Schema> {
  if (!typePattern.test(type) || type.length > 128)
    throw new TypeError('an event type is words parted by full stops, such as project.created');
  if (!Number.isSafeInteger(version) || version < 1)
    throw new TypeError('a version is a whole number, 1 or more');
  return { type, version, payload, description };
}

/** The types of an app, each version once. @throws {TypeError} */
export function eventTypesByKey(types: readonly EventType[]): ReadonlyMap<string, EventType> {
  const byKey = new Map(types.map((each) => [keyOf(each), each]));
  if (byKey.size !== types.length) throw new TypeError('an event type is there twice');
  if (types.some(({ type }) => type === testType))
    throw new TypeError(`${testType} is the test event`);
  return byKey;
}

export const keyOf = ({ type, version }: Pick<EventType, 'type' | 'version'>): string =>
  `${type}@${version}`;

/** Whether a text can filter events: a type, `project.*` for everything below, `*` for everything. */
export const isEventFilter = (filter: string): boolean =>
  filter.length <= 128 && filterPattern.test(filter);

/** Every filter that lets a type through: `a.b.c` has `*`, `a.*`, `a.b.*` and itself. */
export function filtersOf(type: string): string[] {
  const words = type.split('.');
  return [...words.map((_, at) => [...words.slice(0, at), '*'].join('.')), type];
}

export interface Envelope {
  readonly type: string;
  readonly version: number;
  readonly timestamp: Date;
  readonly data: unknown;
}

/** The body on the wire: canonical JSON, so that whoever signs or hashes it has the same bytes. @throws {PayloadTooLarge} @throws {TypeError} on what JSON cannot say. */
export function toBody({ type, version, timestamp, data }: Envelope, maxBytes: number): string {
  // Dates and whatever else says what it is in JSON become that first.
  const plain: unknown = JSON.parse(JSON.stringify(data ?? null));
  const body = canonicalJson({ type, version, timestamp: timestamp.toISOString(), data: plain });
  if (Buffer.byteLength(body) > maxBytes) throw new PayloadTooLarge(maxBytes);
  return body;
}

/** The payload as its schema has it. @throws {TypeError} which names the places of faults and no values: it is the publisher's bug. */
export function parsePayload({ type, payload }: EventType, data: unknown): unknown {
  const result = v.safeParse(payload, data);
  if (result.success) return result.output;
  const places = result.issues.map((issue) => v.getDotPath(issue) ?? 'the whole');
  throw new TypeError(`the payload of ${type} does not fit its schema: ${places.join(', ')}`);
}
