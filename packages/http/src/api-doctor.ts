import type { OpenApiDocument, OpenApiOperation, OpenApiSchema } from './openapi.ts';

/** What the API doctor looks for. */
export type ApiRule =
  | 'orphan_route'
  | 'unstable_id'
  | 'missing_summary'
  | 'missing_tag'
  | 'missing_example'
  | 'undocumented_failure'
  | 'unguarded_operation'
  | 'unguarded_mutation'
  | 'unrepeatable_creation'
  | 'ambiguous_path'
  | 'unbounded_list'
  | 'unbounded_string'
  | 'stale_allowance';

export interface ApiFinding {
  readonly rule: ApiRule;
  /** The operation's id, or `GET /path` where it has none. */
  readonly operation: string;
  readonly message: string;
}

/** An operation and where it stands in the document. */
export interface PlacedOperation {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: OpenApiOperation;
}

type Rule = (placed: PlacedOperation, document: OpenApiDocument) => readonly string[];

/** What is wrong with the operations of a document, as far as the document alone shows it. */
export function diagnoseDocument(document: OpenApiDocument): ApiFinding[] {
  const operations = placedOperations(document);
  return [
    ...operations.flatMap((placed) =>
      Object.entries(rules).flatMap(([rule, check]) =>
        check(placed, document).map((message): ApiFinding => ({
          rule: rule as ApiRule,
          operation: placed.name,
          message,
        })),
      ),
    ),
    ...ambiguousPaths(operations),
  ];
}

/** Every operation of a document. */
export function placedOperations(document: OpenApiDocument): PlacedOperation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([key, operation]) => {
      const method = key.toUpperCase();
      return { name: operation.operationId ?? `${method} ${path}`, method, path, operation };
    }),
  );
}

/** Whether an operation needs no credentials, by the document. */
export const isPublic = ({ operation }: PlacedOperation, document: OpenApiDocument): boolean =>
  (operation.security ?? document.security ?? []).length === 0;

export const isMutation = ({ method }: PlacedOperation): boolean =>
  ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method);

const when = (broken: boolean, message: string): string[] => (broken ? [message] : []);
const responsesOf = ({ operation }: PlacedOperation) => Object.entries(operation.responses ?? {});
const answersOf = (placed: PlacedOperation) =>
  responsesOf(placed).filter(([status]) => /^[23]/.test(status));

const rules: Partial<Readonly<Record<ApiRule, Rule>>> = {
  unstable_id: ({ operation: { operationId: id = '' } }) =>
    when(
      // What generators make of method and path changes with the path.
      !/^[a-z][A-Za-z0-9]*$/.test(id) || /^(?:get|post|put|patch|delete)(?:Api|V\d)/.test(id),
      'its id is not a name of its own in camelCase',
    ),
  missing_summary: ({ operation: { summary = '' } }) => when(!/\S/.test(summary), 'no summary'),
  missing_tag: ({ operation: { tags = [] } }) => when(tags.length === 0, 'no tag'),
  missing_example: (placed) => {
    const answers = answersOf(placed).map(([status, { content }]) => ({ where: status, content }));
    const bodies = [
      { where: 'the request', content: placed.operation.requestBody?.content },
      ...answers,
    ];
    return bodies.flatMap(({ where, content = {} }) =>
      Object.entries(content)
        .filter(([, { example, examples }]) => example === undefined && examples === undefined)
        .map(([type]) => `${where} has no example as ${type}`),
    );
  },
  undocumented_failure: (placed, document) => {
    const has = (status: string) => placed.operation.responses?.[status] !== undefined;
    const takesBody = placed.operation.requestBody !== undefined;
    return [
      ...when(!isPublic(placed, document) && !has('401'), 'it needs credentials and has no 401'),
      ...when(takesBody && !has('400'), 'it takes a body and has no 400'),
      ...when(placed.path.endsWith('}') && !has('404'), 'it names one of many and has no 404'),
      ...when(!has('500'), 'no 500'),
      ...responsesOf(placed)
        .filter(([status]) => /^[45]/.test(status))
        .filter(([, { content = {} }]) => content['application/problem+json'] === undefined)
        .filter(([status]) => !(status === '503' && placed.operation.tags?.includes('Probes')))
        .map(([status]) => `its ${status} is no problem`),
    ];
  },
  unguarded_mutation: (placed, document) =>
    when(isMutation(placed) && isPublic(placed, document), 'it changes something for anybody'),
  unrepeatable_creation: (placed) =>
    when(
      placed.method === 'POST' &&
        placed.operation.responses?.['201'] !== undefined &&
        !(placed.operation.parameters ?? []).some(({ name }) => name === 'Idempotency-Key'),
      'a client that tries again makes a second one: it takes no Idempotency-Key',
    ),
  unbounded_list: (placed) => {
    const limit = placed.operation.parameters?.find(({ name }) => name === 'limit');
    if (limit !== undefined) return when(!hasBound(limit.schema ?? {}), 'limit has no maximum');
    return answersOf(placed).flatMap(([, { content = {} }]) =>
      Object.values(content).flatMap(({ schema = {} }) =>
        listsIn(schema).flatMap(([at, list]) =>
          when(list['maxItems'] === undefined, `${at} has neither maxItems nor pages`),
        ),
      ),
    );
  },
  unbounded_string: ({ operation }) => [
    ...(operation.parameters ?? []).flatMap(({ name, schema = {} }) => unboundedIn(schema, name)),
    ...Object.values(operation.requestBody?.content ?? {}).flatMap(({ schema = {} }) =>
      unboundedIn(schema, 'the body'),
    ),
  ],
};

function hasBound(schema: OpenApiSchema): boolean {
  if (schema['maximum'] !== undefined || schema['enum'] !== undefined) return true;
  // A query is text: `^[1-9]\d?$` bounds it as well.
  return typeof schema['pattern'] === 'string' || schema['maxLength'] !== undefined;
}

/** The collections that an answer consists of: itself, or those it names; texts of one resource are none. */
function listsIn(schema: OpenApiSchema): [string, OpenApiSchema][] {
  if (schema['type'] === 'array') return [['the answer', schema]];
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, OpenApiSchema>);
  return properties.filter(
    ([name, { type, items }]) =>
      type === 'array' && (name === 'items' || (items as OpenApiSchema)?.['type'] === 'object'),
  );
}

const boundedFormats = new Set(['uuid', 'date', 'date-time', 'time', 'ipv4', 'ipv6']);

function unboundedIn(schema: OpenApiSchema, at: string): string[] {
  const { type, format, pattern, maxLength, maxItems, items } = schema;
  const choices = [schema['anyOf'], schema['oneOf'], schema['allOf']].flatMap(
    (each) => (each ?? []) as readonly OpenApiSchema[],
  );
  const isFixed = 'const' in schema || 'enum' in schema || boundedFormats.has(String(format));
  const isLong = type === 'string' && maxLength === undefined && !isFixed;
  return [
    ...when(isLong && !isBoundedPattern(pattern), `${at} has no maxLength`),
    ...when(
      type === 'array' && maxItems === undefined && items !== undefined,
      `${at} has no maxItems`,
    ),
    ...(items === undefined ? [] : unboundedIn(items as OpenApiSchema, `${at}[]`)),
    ...choices.flatMap((choice) => unboundedIn(choice, at)),
    ...Object.entries((schema['properties'] ?? {}) as Record<string, OpenApiSchema>).flatMap(
      ([name, property]) => unboundedIn(property, `${at}.${name}`),
    ),
  ];
}

/** Whether a pattern is anchored and repeats nothing without end. */
const isBoundedPattern = (pattern: unknown): boolean =>
  typeof pattern === 'string' && /^\^.*\$$/.test(pattern) && !/[*+]|\{\d+,\}/.test(pattern);

function ambiguousPaths(operations: readonly PlacedOperation[]): ApiFinding[] {
  const words = [...new Set(operations.map(({ path }) => path))].map((path) => path.split('/'));
  const mayMeet = (one = '', other = '') =>
    one === other || one.startsWith('{') || other.startsWith('{');
  return operations.flatMap(({ name, path, operation }) => {
    const segments = path.split('/');
    return segments.flatMap((segment, index): ApiFinding[] => {
      const parameter = /^\{(.+)\}$/.exec(segment)?.[1];
      if (parameter === undefined) return [];
      const schema = operation.parameters?.find((each) => each.name === parameter)?.schema ?? {};
      const taken = words
        .filter((other) => other.length === segments.length)
        .filter((other) => other.every((each, at) => mayMeet(each, segments[at])))
        .map((other) => other[index] ?? '')
        .find((word) => word !== '' && !word.startsWith('{') && takes(schema, word));
      const message = `${segment} can be the word ${taken}, which another path has there`;
      return taken === undefined ? [] : [{ rule: 'ambiguous_path', operation: name, message }];
    });
  });
}

function takes(
  { format, pattern, enum: values, maxLength, minLength }: OpenApiSchema,
  word: string,
) {
  if (format === 'uuid') return false;
  if (Array.isArray(values)) return values.includes(word);
  if (typeof pattern === 'string' && !new RegExp(pattern).test(word)) return false;
  return word.length >= Number(minLength ?? 0) && word.length <= Number(maxLength ?? Infinity);
}
