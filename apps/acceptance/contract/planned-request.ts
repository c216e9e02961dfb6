import type { OpenApiParameter, OpenApiSchema } from '@svc/http';
import fc from 'fast-check';
import { canary, fitting, type Mood, spoiled } from './arbitraries.ts';
import type { ContractOperation } from './contract.ts';
import type { CheckSchema } from './json-schemas.ts';

/** Who sends a request: somebody with credentials, nobody, or somebody with made-up ones. */
export type Sender = 'known' | 'nobody' | 'made up';

/** A request before it is sent, in what can be shown and shrunk. */
export interface PlannedRequest {
  readonly method: string;
  /** As in the document. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sent as it is, in place of `body`. */
  readonly text?: string;
  readonly contentType?: string;
  readonly sender: Sender;
  /** `fits` is valid in every respect that the document tells, `odd` is so with unusual texts, `broken` is not. */
  readonly kind: 'fits' | 'odd' | 'broken';
}

/** Requests of one operation that are as its document says, but where told `broken`. */
export function plannedRequests(
  operation: ContractOperation,
  kind: PlannedRequest['kind'],
  check: CheckSchema,
  isReal: (prefix: string, pick: number) => string | undefined,
): fc.Arbitrary<PlannedRequest> {
  const mood: Mood = kind === 'odd' ? 'odd' : 'sober';
  const parameters = operation.parameters;
  const of = (where: string) => parameters.filter((each) => each.in === where);
  const parts = fc.record({
    params: valuesOf(of('path'), mood),
    query: valuesOf(of('query'), mood),
    headers: valuesOf(of('header'), 'sober'),
    body:
      operation.body === undefined ? fc.constant(undefined) : fitting(operation.body.schema, mood),
    pick: fc.nat(1000),
  });
  return parts.map(({ params, query, headers, body, pick }): PlannedRequest => {
    const real = withReal(operation.path, params, (prefix) => isReal(prefix, pick));
    const whole = { params: real, query, headers, sender: 'known', kind } as const;
    const { method, path } = operation;
    const planned: PlannedRequest = { method, path, ...whole, ...contentOf(operation, body) };
    return kind === 'broken' ? breakOne(operation, planned, pick, check) : planned;
  });
}

const contentOf = ({ body: declared }: ContractOperation, body: unknown) =>
  declared === undefined ? {} : { body, contentType: declared.contentType };

function valuesOf(parameters: readonly OpenApiParameter[], mood: Mood) {
  const model = parameters.map(
    ({ name, schema = {} }) =>
      [
        name,
        fitting(schema, mood, name).map((value) =>
          typeof value === 'object' ? '' : String(value),
        ),
      ] as const,
  );
  const requiredKeys = parameters
    .filter(({ required }) => required === true)
    .map(({ name }) => name);
  return fc.record(Object.fromEntries(model), { requiredKeys }) as fc.Arbitrary<
    Record<string, string>
  >;
}

/** Ids of what is there in place of made-up ones, mostly. */
function withReal(
  path: string,
  params: Readonly<Record<string, string>>,
  real: (prefix: string) => string | undefined,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => {
      const prefix = path.slice(0, path.indexOf(`/{${name}}`));
      return [name, real(prefix) ?? value];
    }),
  );
}

/** The same request with one part that its schema refuses; as it was where there is none to break. */
function breakOne(
  operation: ContractOperation,
  planned: PlannedRequest,
  pick: number,
  check: CheckSchema,
): PlannedRequest {
  const broken: PlannedRequest[] = [];
  if (operation.body !== undefined) {
    const { schema } = operation.body;
    for (const body of spoiled(schema, planned.body))
      if (check(schema, body) !== undefined && canBeSent(operation.body.contentType, body))
        broken.push({ ...planned, body });
  }
  for (const { in: where, name, schema = {}, required } of operation.parameters) {
    const part = where === 'path' ? 'params' : where === 'query' ? 'query' : undefined;
    if (part === undefined) continue;
    for (const value of spoiledTexts(schema))
      if (value !== '' && check(schema, value) !== undefined)
        broken.push({ ...planned, [part]: { ...planned[part], [name]: value } });
    if (part === 'query' && required === true) {
      const { [name]: _, ...rest } = planned.query;
      broken.push({ ...planned, query: rest });
    }
  }
  const chosen = broken[pick % Math.max(broken.length, 1)];
  return chosen === undefined ? { ...planned, kind: 'fits' } : { ...chosen, kind: 'broken' };
}

/** A form carries texts: a number in it is as good as one. */
const canBeSent = (contentType: string, body: unknown): boolean =>
  contentType === 'application/json' ||
  (typeof body === 'object' &&
    body !== null &&
    Object.values(body).every((each) => typeof each === 'string'));

const spoiledTexts = ({ maxLength }: OpenApiSchema): string[] => [
  canary,
  ...(maxLength === undefined ? [] : ['x'.repeat(Number(maxLength) + 1)]),
];

/** What a URL keeps as it is: none is empty, and dots would lead elsewhere. */
const segmentOf = (value = ''): string => (/^\.{0,2}$/.test(value) ? 'x' : value);

/** Where a request goes, below the app. */
export function targetOf({ path, params, query }: PlannedRequest): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(segmentOf(params[name])),
  );
  const search = new URLSearchParams(query).toString();
  return search === '' ? filled : `${filled}?${search}`;
}

/** The bytes that a request carries, or none. */
export function payloadOf({ body, text, contentType }: PlannedRequest): string | undefined {
  if (text !== undefined) return text;
  if (body === undefined) return undefined;
  return contentType === 'application/x-www-form-urlencoded'
    ? new URLSearchParams(body as Record<string, string>).toString()
    : JSON.stringify(body);
}

/** The request as a line for a shell; `$TOKEN` stands for the credentials. */
export function curlOf(planned: PlannedRequest, baseUrl: string): string {
  const quote = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const payload = payloadOf(planned);
  const headers = Object.entries(planned.headers).map(([name, value]) => `${name}: ${value}`);
  if (planned.contentType !== undefined && payload !== undefined)
    headers.push(`content-type: ${planned.contentType}`);
  const credentials = {
    known: ' -H "authorization: Bearer $TOKEN"',
    nobody: '',
    'made up': " -H 'authorization: Bearer made-up'",
  };
  return [
    `curl -i -X ${planned.method} ${quote(`${baseUrl}${targetOf(planned)}`)}`,
    ...headers.map((header) => ` -H ${quote(header)}`),
    credentials[planned.sender],
    ...(payload === undefined ? [] : [` --data-raw ${quote(payload)}`]),
  ].join('');
}
