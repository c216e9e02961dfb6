import { type FailureType, ValidationFailed } from '@svc/core';
import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import { MalformedBody, MalformedUrl, UnsupportedMediaType } from './failures.ts';
import { BodyIncomplete, BodyTimeout, BodyTooLarge } from './limit-failures.ts';
import type { AnySchema } from './field-errors.ts';
import { describeProblem, internalProblem, type ProblemDescription } from './problem.ts';

/** The parts of an OpenAPI 3.1 document that svc writes and reads. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly description?: string;
    readonly contact?: { readonly name?: string; readonly url?: string; readonly email?: string };
    readonly license?: { readonly name: string; readonly url?: string };
  };
  readonly servers?: readonly { readonly url: string; readonly description?: string }[];
  readonly tags?: readonly { readonly name: string; readonly description?: string }[];
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface OpenApiOperation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly deprecated?: boolean;
  readonly tags?: readonly string[];
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly OpenApiParameter[];
  readonly requestBody?: { readonly content?: OpenApiContent };
  readonly responses?: Readonly<Record<string, OpenApiResponse>>;
}

export interface OpenApiParameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: OpenApiSchema;
}

/** A header, or where the document has it. */
export type OpenApiHeader =
  | { readonly $ref: string }
  | {
      readonly description?: string;
      readonly required?: boolean;
      readonly schema?: OpenApiSchema;
    };

export interface OpenApiResponse {
  readonly description?: string;
  readonly headers?: Readonly<Record<string, OpenApiHeader>>;
  readonly content?: OpenApiContent;
}

export type OpenApiContent = Readonly<
  Record<
    string,
    {
      readonly schema?: OpenApiSchema;
      readonly example?: unknown;
      readonly examples?: Readonly<Record<string, unknown>>;
    }
  >
>;

/** A JSON Schema (2020-12) as OpenAPI 3.1 holds it. */
export type OpenApiSchema = Readonly<Record<string, unknown>>;

/** The JSON Schema of what goes into, or comes out of, a valibot schema; what JSON Schema cannot say is left out. */
export function jsonSchemaOf(schema: AnySchema, typeMode: 'input' | 'output'): OpenApiSchema {
  const { $schema: _, ...jsonSchema }: JsonSchema = toJsonSchema(
    schema as Parameters<typeof toJsonSchema>[0],
    {
      target: 'draft-2020-12',
      typeMode,
      errorMode: 'ignore',
    },
  );
  return withIntegerFormats(jsonSchema);
}

const largestInt32 = 2_147_483_647;

// How many bits a client needs for it, as OpenAPI names it.
function withIntegerFormats<Part>(part: Part): Part {
  if (Array.isArray(part)) return part.map(withIntegerFormats) as Part;
  if (typeof part !== 'object' || part === null) return part;
  const whole = mapValues(part as Record<string, unknown>, withIntegerFormats);
  if (whole['type'] !== 'integer' || 'format' in whole) return whole as Part;
  const { minimum = -Infinity, maximum = Infinity } = whole;
  const isSmall = Number(minimum) >= -largestInt32 && Number(maximum) <= largestInt32;
  return { ...whole, format: isSmall ? 'int32' : 'int64' } as Part;
}

const text = (maxLength: number) => ({ type: 'string', maxLength });
const codePattern = '^[a-z0-9_.]+$';

export const problemSchema: OpenApiSchema = {
  type: 'object',
  description: 'A problem (RFC 9457). It never repeats a submitted value.',
  required: ['type', 'title', 'status', 'code', 'instance', 'request_id'],
  properties: {
    type: {
      ...text(2048),
      format: 'uri-reference',
      description: 'Leads to a page about this problem.',
    },
    title: text(500),
    status: { type: 'integer', format: 'int32', minimum: 400, maximum: 599 },
    code: {
      ...text(100),
      pattern: codePattern,
      description: 'What a program tells problems apart by. Stable.',
    },
    instance: { ...text(2048), format: 'uri-reference' },
    request_id: { ...text(128), pattern: '^[A-Za-z0-9._-]+$' },
    detail: text(2000),
    errors: {
      type: 'array',
      maxItems: 50,
      items: {
        type: 'object',
        required: ['pointer', 'code', 'message'],
        properties: {
          pointer: { ...text(2048), description: 'JSON Pointer (RFC 6901) into the input.' },
          code: text(100),
          message: text(500),
        },
      },
    },
  },
};

export interface DocumentProblemsOptions {
  /** The failures of one operation, by its id. */
  readonly failuresOf: (operationId: string) => readonly FailureType[];
  /** What every operation can answer beside. */
  readonly common: readonly FailureType[];
  readonly typeBase: string;
}

/** The same document, in which every operation names every problem it can answer. */
export function documentProblems(
  document: OpenApiDocument,
  { failuresOf, common, typeBase }: DocumentProblemsOptions,
): OpenApiDocument {
  const examples: Record<string, object> = {};
  const complete = (operation: OpenApiOperation): OpenApiOperation => {
    const failures = [
      ...failuresOf(operation.operationId ?? ''),
      ...common,
      ...impliedFailures(operation),
    ];
    const problems = [...failures.map(describeProblem), internalProblem];
    for (const one of problems) examples[one.code] = { value: exampleOf(one, typeBase) };
    const responses = mapValues(problemResponses(problems), (response, status) => ({
      ...response,
      // Who is no program may get a page.
      content: { ...operation.responses?.[status]?.content, ...response.content },
    }));
    return { ...operation, responses: { ...operation.responses, ...responses } };
  };
  const paths = mapValues(document.paths, (operations) => mapValues(operations, complete));
  const schemas = { ...document.components?.['schemas'], Problem: problemSchema };
  const components = {
    ...document.components,
    schemas,
    examples: { ...document.components?.['examples'], ...examples },
  };
  return { ...document, paths, components };
}

function impliedFailures(operation: OpenApiOperation): FailureType[] {
  const reads = (operation.parameters ?? []).length > 0;
  const failures: FailureType[] = reads ? [ValidationFailed, MalformedUrl] : [];
  if (operation.requestBody === undefined) return failures;
  return [
    ...failures,
    ValidationFailed,
    MalformedBody,
    UnsupportedMediaType,
    BodyTooLarge,
    BodyTimeout,
    BodyIncomplete,
  ];
}

const saysWhen: ReadonlySet<number> = new Set([429, 503]);
const retryAfter: OpenApiHeader = {
  description: 'After so many seconds it is worth trying again (RFC 9110 section 10.2.3).',
  schema: { type: 'integer', format: 'int32', minimum: 0, maximum: 31_622_400 },
};

function problemResponses(
  problems: readonly ProblemDescription[],
): Record<string, OpenApiResponse> {
  const byCode = new Map(problems.map((problem) => [problem.code, problem]));
  const byStatus = Map.groupBy(byCode.values(), (problem) => problem.status);
  const responses = [...byStatus].map(([status, list]): [string, OpenApiResponse] => [
    String(status),
    {
      description: list.map((problem) => problem.title).join(' Or: '),
      ...(saysWhen.has(status) && { headers: { 'Retry-After': retryAfter } }),
      content: {
        'application/problem+json': {
          schema: {
            allOf: [
              { $ref: '#/components/schemas/Problem' },
              {
                type: 'object',
                properties: { code: { enum: list.map((problem) => problem.code) } },
              },
            ],
          },
          examples: Object.fromEntries(
            list.map((one) => [one.code, { $ref: `#/components/examples/${one.code}` }]),
          ),
        },
      },
    },
  ]);
  return Object.fromEntries(responses);
}

function exampleOf({ code, status, title }: ProblemDescription, typeBase: string): object {
  const requestId = '01980000-0000-7000-8000-000000000000';
  return {
    type: `${typeBase}/${code}`,
    title,
    status,
    code,
    instance: `urn:request:${requestId}`,
    request_id: requestId,
  };
}

/** A header as middlewares describe it. */
export interface DocumentedHeader {
  readonly description: string;
  readonly schema: OpenApiSchema;
  /** @default false */
  readonly required?: boolean;
}

/** The headers of one operation that are not the operation's own, by name. */
export interface OperationHeaders {
  readonly request: Readonly<Record<string, DocumentedHeader>>;
  readonly response: Readonly<Record<string, DocumentedHeader>>;
}

/** The same document, in which operations name the headers that middlewares read and set. */
export function documentHeaders(
  document: OpenApiDocument,
  headersOf: (operationId: string) => OperationHeaders,
): OpenApiDocument {
  const headers: Record<string, DocumentedHeader> = {};
  const complete = (operation: OpenApiOperation): OpenApiOperation => {
    const { request, response } = headersOf(operation.operationId ?? '');
    Object.assign(headers, response);
    const taken = Object.entries(request).map(([name, header]): OpenApiParameter => ({
      name,
      in: 'header',
      required: false,
      ...header,
    }));
    const set = mapValues(response, (_, name) => ({ $ref: `#/components/headers/${name}` }));
    if (taken.length + Object.keys(set).length === 0) return operation;
    return {
      ...operation,
      parameters: [...(operation.parameters ?? []), ...taken],
      responses: mapValues(operation.responses ?? {}, (one) => ({
        ...one,
        headers: { ...one.headers, ...set },
      })),
    };
  };
  const paths = mapValues(document.paths, (operations) => mapValues(operations, complete));
  const { components } = document;
  if (Object.keys(headers).length === 0) return document;
  return { ...document, paths, components: { ...components, headers } };
}

/** The same keys with other values. */
export function mapValues<Value, Result>(
  record: Readonly<Record<string, Value>>,
  map: (value: Value, key: string) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
