import type { OpenApiContent, OpenApiDocument, OpenApiHeader, OpenApiSchema } from '@svc/http';
import type { ContractOperation } from './contract.ts';
import type { CheckSchema } from './json-schemas.ts';
import type { PlannedRequest } from './planned-request.ts';

/** The checks, most of them after those of Schemathesis. */
export type CheckName =
  | 'not_a_server_error'
  | 'status_code_conformance'
  | 'content_type_conformance'
  | 'response_schema_conformance'
  | 'response_headers_conformance'
  | 'problem_conformance'
  | 'echo'
  | 'negative_data_rejection'
  | 'positive_data_acceptance'
  | 'ignored_auth'
  | 'malformed_body'
  | 'unsupported_content_type'
  | 'unsupported_method'
  | 'allow_header'
  | 'use_after_delete'
  | 'resource_availability'
  | 'max_response_time';

export interface Fault {
  readonly check: CheckName;
  readonly message: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly tookMs: number;
}

export interface CheckContext {
  readonly document: OpenApiDocument;
  readonly check: CheckSchema;
  readonly maxResponseMs: number;
}

const fault = (check: CheckName, broken: boolean, message: string): Fault[] =>
  broken ? [{ check, message }] : [];

/** What an answer does that the document does not allow. */
export function faultsOf(
  operation: ContractOperation,
  planned: PlannedRequest,
  answer: Answer,
  context: CheckContext,
): Fault[] {
  const { status, headers, text, tookMs } = answer;
  const described = operation.responses[String(status)];
  const type = (headers.get('content-type') ?? '').split(';')[0] ?? '';
  const told = `${status} ${text.slice(0, 300)}`;
  const isBusy = status === 503 && described !== undefined;
  return [
    ...fault('not_a_server_error', status >= 500 && !isBusy, told),
    ...fault(
      'status_code_conformance',
      described === undefined,
      `${status} is not documented: ${text.slice(0, 300)}`,
    ),
    ...fault('max_response_time', tookMs > context.maxResponseMs, `took ${Math.round(tookMs)} ms`),
    ...(described === undefined ? [] : bodyFaults(operation, answer, type, context)),
    ...(described?.headers === undefined ? [] : headerFaults(described.headers, answer, context)),
    ...(status >= 400 && !isPage(described?.content, type) ? problemFaults(answer, type) : []),
    ...echoFaults(operation, planned, answer),
    ...inputFaults(planned, answer, told),
    ...fault(
      'ignored_auth',
      planned.sender !== 'known' &&
        !operation.isPublic &&
        status !== 401 &&
        status !== 429 &&
        planned.kind === 'fits',
      `${planned.sender}: ${told}`,
    ),
  ];
}

function bodyFaults(
  operation: ContractOperation,
  { status, text }: Answer,
  type: string,
  { check }: CheckContext,
): Fault[] {
  const content = operation.responses[String(status)]?.content ?? {};
  const types = Object.keys(content);
  if (types.length === 0 || (text === '' && status < 400)) {
    const hasBody = types.length === 0 && text !== '' && status < 300;
    return fault('content_type_conformance', hasBody, 'a body that is not documented');
  }
  const media = content[type];
  if (media === undefined)
    return fault('content_type_conformance', true, `${type} is none of ${types.join(', ')}`);
  if (media.schema === undefined || !/[/+]json$/.test(type)) return [];
  const value = parsed(text);
  const wrong = value === undefined ? 'is no JSON' : check(media.schema, value);
  return fault(
    'response_schema_conformance',
    wrong !== undefined,
    `${status} ${wrong}: ${text.slice(0, 300)}`,
  );
}

function headerFaults(
  described: Readonly<Record<string, OpenApiHeader>>,
  { headers }: Answer,
  { document, check }: CheckContext,
): Fault[] {
  return Object.entries(described).flatMap(([name, header]) => {
    const whole = '$ref' in header ? referenced(header.$ref, document) : header;
    const value = headers.get(name);
    const { schema, required } = whole as { schema?: OpenApiSchema; required?: boolean };
    if (value === null)
      return fault('response_headers_conformance', required === true, `${name} is missing`);
    const read = ['integer', 'number'].includes(String(schema?.['type'])) ? Number(value) : value;
    const wrong = schema === undefined ? undefined : check(schema, read);
    return fault('response_headers_conformance', wrong !== undefined, `${name}: ${value} ${wrong}`);
  });
}

function referenced(ref: string, { components }: OpenApiDocument): unknown {
  return components?.['headers']?.[ref.split('/').at(-1) ?? ''] ?? {};
}

const isPage = (content: OpenApiContent = {}, type: string): boolean =>
  type === 'text/html' && type in content;

/** RFC 9457, and that the end of a request that failed says nothing of what happened. */
function problemFaults({ status, headers, text }: Answer, type: string): Fault[] {
  // Probes say how each dependency is.
  if (status === 503 && type === 'application/json') return [];
  const problem = parsed(text) as Readonly<Record<string, unknown>> | undefined;
  if (type !== 'application/problem+json' || problem === undefined)
    return fault(
      'problem_conformance',
      true,
      `${status} is no problem: ${type} ${text.slice(0, 200)}`,
    );
  const leaks =
    /\bat \S+ \(|node_modules|\.[jt]s:\d+|\b(?:SELECT|INSERT|UPDATE) .{0,80}\b(?:FROM|INTO|SET)\b/i;
  const isBare =
    status !== 500 ||
    (problem['code'] === 'http.internal' &&
      problem['title'] === internalTitle &&
      problem['detail'] === undefined);
  return [
    ...fault('problem_conformance', problem['status'] !== status, `its status is not ${status}`),
    ...fault(
      'problem_conformance',
      leaks.test(text),
      `it tells of the inside: ${text.slice(0, 300)}`,
    ),
    ...fault('problem_conformance', !isBare, `a 500 says more than that: ${text.slice(0, 300)}`),
    ...fault(
      'response_headers_conformance',
      status === 401 && !headers.has('www-authenticate'),
      '401 without WWW-Authenticate (RFC 9110 section 11.6.1)',
    ),
    ...fault(
      'response_headers_conformance',
      status === 429 && !headers.has('retry-after'),
      '429 without Retry-After',
    ),
  ];
}

const internalTitle = 'Something went wrong on our side.';

/** No problem repeats what was submitted; ids and words of the document are no secrets. */
function echoFaults(
  operation: ContractOperation,
  planned: PlannedRequest,
  { status, text }: Answer,
): Fault[] {
  if (status < 400) return [];
  const known = JSON.stringify([operation.body?.schema, operation.parameters, operation.path]);
  const sent = [
    ...textsIn(planned.body),
    ...Object.values(planned.params),
    ...Object.values(planned.query),
  ];
  const echoed = sent.find(
    (each) =>
      each.length >= 8 && !known.includes(each) && text.includes(JSON.stringify(each).slice(1, -1)),
  );
  return fault(
    'echo',
    echoed !== undefined,
    `the problem repeats ${JSON.stringify(echoed)?.slice(0, 80)}`,
  );
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [key, ...textsIn(each)]);
}

function inputFaults(planned: PlannedRequest, { status, text }: Answer, told: string): Fault[] {
  if (planned.sender !== 'known') return [];
  const problem = parsed(text) as { code?: string } | undefined;
  const isRefused = status === 415 || problem?.code === 'core.validation_failed';
  return [
    ...fault(
      'negative_data_rejection',
      planned.kind === 'broken' && status < 400,
      `accepted: ${told}`,
    ),
    ...fault('positive_data_acceptance', planned.kind === 'fits' && isRefused, `refused: ${told}`),
  ];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
