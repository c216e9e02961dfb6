import { type FieldError, ValidationFailed } from '@svc/core';
import { type EventType, isEventFilter, filtersOf, testType } from './event-type.ts';
import type { EndpointRow, EndpointStatus, SecretRow } from './tables.ts';

/** Where a tenant wants to be told of events. */
export interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly description: string;
  /** Types, `project.*` for everything below, `*` for everything. */
  readonly eventTypes: readonly string[];
  /** The names of the custom headers; their values are not shown again. */
  readonly headerNames: readonly string[];
  /** How many tries a minute; null for no limit. */
  readonly ratePerMinute: number | null;
  /** Whether events with one order key arrive in the order in which they were published. */
  readonly isOrdered: boolean;
  readonly status: EndpointStatus;
  readonly failingSince: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A secret of an endpoint, without what is secret. */
export interface EndpointSecret {
  readonly id: string;
  readonly scheme: 'v1' | 'v1a';
  /** Of a key pair what verifies, `whpk_…`. */
  readonly publicKey: string | null;
  readonly createdAt: Date;
  /** Until when a former one signs too. */
  readonly expiresAt: Date | null;
}

export interface EndpointInput {
  url: string;
  /** @default '' */
  description?: string | undefined;
  /** @default everything */
  eventTypes?: readonly string[] | undefined;
  /** Sent with every try; stored encrypted. @default {} */
  headers?: Readonly<Record<string, string>> | undefined;
  /** @default null */
  ratePerMinute?: number | null | undefined;
  /** @default false */
  isOrdered?: boolean | undefined;
}

/** What changes; what is missing stays. */
export type EndpointChanges = {
  [Field in keyof EndpointInput]?: EndpointInput[Field] | undefined;
} & {
  isEnabled?: boolean | undefined;
};

const maxUrlLength = 2048;
const maxHeaders = 20;
const maxHeaderBytes = 4096;

// What belongs to the transport or to the signature (RFC 9110, 7.6.1).
const reserved =
  /^(webhook-.*|x-signature.*|host|content-.*|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|user-agent|accept-encoding|traceparent|tracestate|cookie|date|via|forwarded|x-forwarded-.*)$/i;

/** Every fault of what an endpoint's owner submitted. @throws {ValidationFailed} */
export function assertEndpoint(
  input: EndpointChanges,
  { allowHttp, eventTypes }: { allowHttp: boolean; eventTypes: ReadonlyMap<string, EventType> },
): void {
  const errors: FieldError[] = [];
  const fault = (pointer: string, message: string) =>
    errors.push({ pointer, code: pointer.split('/')[1] ?? '', message });
  const { url, eventTypes: filters, headers, ratePerMinute, description = '' } = input;
  if (url !== undefined && !isEndpointUrl(url, allowHttp))
    fault(
      '/url',
      `Must be an ${allowHttp ? 'http or https' : 'https'} URL without user and fragment.`,
    );
  const known = new Set([...eventTypes.values()].flatMap(({ type }) => filtersOf(type)));
  if (filters !== undefined && (filters.length === 0 || filters.length > 100))
    fault('/eventTypes', 'Must be 1 to 100 event types.');
  for (const [at, filter] of (filters ?? []).entries())
    if (!isEventFilter(filter) || !known.has(filter) || filter === testType)
      fault(`/eventTypes/${at}`, 'Must be a type of event that there is, or such as project.*.');
  if (headers !== undefined && !areHeaders(headers))
    fault('/headers', 'Must be at most 20 headers of visible ASCII that the service does not set.');
  if (typeof ratePerMinute === 'number' && !isRate(ratePerMinute))
    fault('/ratePerMinute', 'Must be a whole number from 1 to 100000.');
  if (description.length > 500 || !description.isWellFormed() || description.includes('\0'))
    fault('/description', 'Must be text of at most 500 characters.');
  if (errors.length > 0) throw new ValidationFailed(errors);
}

const isRate = (rate: number) => Number.isSafeInteger(rate) && rate >= 1 && rate <= 100_000;

function isEndpointUrl(text: string, allowHttp: boolean): boolean {
  if (text.length > maxUrlLength || !URL.canParse(text) || /[\p{Cc}\s]/u.test(text)) return false;
  const url = new URL(text);
  const isScheme = url.protocol === 'https:' || (allowHttp && url.protocol === 'http:');
  return (
    isScheme && url.username === '' && url.password === '' && url.hash === '' && text.isWellFormed()
  );
}

function areHeaders(headers: Readonly<Record<string, string>>): boolean {
  const entries = Object.entries(headers);
  const names = new Set(entries.map(([name]) => name.toLowerCase()));
  const size = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (entries.length > maxHeaders || names.size < entries.length || size > maxHeaderBytes)
    return false;
  // A token and a value of RFC 9110, 5.6.2 and 5.5: nothing that could begin another header.
  return entries.every(
    ([name, value]) =>
      /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) &&
      !reserved.test(name) &&
      /^[!-~]([ -~]*[!-~])?$/.test(value),
  );
}

export const toEndpoint = (row: EndpointRow): Endpoint => ({
  id: row.id,
  url: row.url,
  description: row.description,
  eventTypes: row.event_types,
  headerNames: row.header_names,
  ratePerMinute: row.rate_per_minute,
  isOrdered: row.is_ordered,
  status: row.status,
  failingSince: row.failing_since,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export const toEndpointSecret = (row: SecretRow): EndpointSecret => ({
  id: row.id,
  scheme: row.scheme,
  publicKey: row.public_key,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
});
