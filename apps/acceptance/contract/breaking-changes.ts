import type { OpenApiDocument, OpenApiResponse, OpenApiSchema } from '@svc/http';
import { type ContractOperation, operationsOf } from './contract.ts';

/** What clients of a document cannot rely on any more in another: what they may send, and what they get. */
export function breakingChanges(before: OpenApiDocument, after: OpenApiDocument): string[] {
  const now = operationsOf(after);
  return operationsOf(before).flatMap((was) => {
    const is = now.find(({ method, path }) => method === was.method && path === was.path);
    if (is === undefined) return [`${was.id}: ${was.method} ${was.path} is gone`];
    return operationChanges(was, is).map((change) => `${was.id}: ${change}`);
  });
}

const when = (broken: boolean, message: string): string[] => (broken ? [message] : []);

function operationChanges(was: ContractOperation, is: ContractOperation): string[] {
  return [
    ...when(was.id !== is.id, `its id is ${is.id} now`),
    ...when(was.isPublic && !is.isPublic, 'it asks for credentials now'),
    ...parameterChanges(was, is),
    ...when(was.body === undefined && is.body !== undefined, 'it takes a body now'),
    ...when(was.body !== undefined && is.body === undefined, 'it takes no body any more'),
    ...(was.body === undefined || is.body === undefined
      ? []
      : [
          ...when(
            was.body.contentType !== is.body.contentType,
            `it takes ${is.body.contentType} now`,
          ),
          ...sentChanges(was.body.schema, is.body.schema, 'the body'),
        ]),
    ...Object.entries(was.responses)
      .filter(([status]) => Number(status) < 400)
      .flatMap(([status, response]) => responseChanges(status, response, is.responses[status])),
  ];
}

function parameterChanges(was: ContractOperation, is: ContractOperation): string[] {
  const find = ({ parameters }: ContractOperation, where: string, name: string) =>
    parameters.find((each) => each.in === where && each.name === name);
  const added = is.parameters
    .filter(({ required }) => required === true)
    .filter((each) => find(was, each.in, each.name)?.required !== true)
    .map(({ name }) => `${name} is needed now`);
  const others = was.parameters.flatMap((each) => {
    const other = find(is, each.in, each.name);
    if (other === undefined) return [`${each.name} is not taken any more`];
    return sentChanges(each.schema ?? {}, other.schema ?? {}, each.name);
  });
  return [...added, ...others];
}

function responseChanges(status: string, was: OpenApiResponse, is?: OpenApiResponse): string[] {
  if (is === undefined) return [`it does not answer ${status} any more`];
  return Object.entries(was.content ?? {}).flatMap(([type, { schema = {} }]) => {
    const other = is.content?.[type];
    if (other === undefined) return [`${status} is not ${type} any more`];
    return receivedChanges(schema, other.schema ?? {}, status);
  });
}

const propertiesOf = (schema: OpenApiSchema) =>
  Object.entries((schema['properties'] ?? {}) as Record<string, OpenApiSchema>);
const propertyOf = (schema: OpenApiSchema, name: string) =>
  propertiesOf(schema).find(([each]) => each === name)?.[1];
const requiredOf = (schema: OpenApiSchema) => (schema['required'] ?? []) as readonly string[];
const valuesOf = (schema: OpenApiSchema): readonly unknown[] | undefined =>
  'const' in schema ? [schema['const']] : (schema['enum'] as readonly unknown[] | undefined);
const choicesOf = (schema: OpenApiSchema) =>
  (schema['anyOf'] ?? schema['oneOf'] ?? [schema]) as readonly OpenApiSchema[];

/** What was taken and is refused. */
function sentChanges(was: OpenApiSchema, is: OpenApiSchema, at: string): string[] {
  const others = choicesOf(is);
  if (others.length > 1 || choicesOf(was).length > 1)
    return choicesOf(was).flatMap((choice) =>
      when(
        !others.some((other) => sentChanges(choice, other, at).length === 0),
        `${at}: a form of it is refused now`,
      ),
    );
  const [values, allowed] = [valuesOf(was), valuesOf(is)];
  const refused =
    allowed !== undefined && !(values ?? [undefined]).every((each) => allowed.includes(each));
  return [
    ...when(
      was['type'] !== is['type'] && is['type'] !== undefined,
      `${at} is a ${String(is['type'])} now`,
    ),
    ...when(refused, `${at}: not every value is taken any more`),
    ...when(
      is['pattern'] !== was['pattern'] && is['pattern'] !== undefined,
      `${at} has another pattern`,
    ),
    ...when(
      is['format'] !== was['format'] && is['type'] === 'string' && is['format'] !== undefined,
      `${at} has another format`,
    ),
    ...lower.flatMap((key) =>
      when(Number(is[key] ?? Infinity) < Number(was[key] ?? Infinity), `${at}: ${key} is less`),
    ),
    ...higher.flatMap((key) =>
      when(Number(is[key] ?? -Infinity) > Number(was[key] ?? -Infinity), `${at}: ${key} is more`),
    ),
    ...requiredOf(is)
      .filter((name) => !requiredOf(was).includes(name))
      .map((name) => `${at}.${name} is needed now`),
    ...propertiesOf(was).flatMap(([name, property]) => {
      const other = propertyOf(is, name);
      if (other !== undefined) return sentChanges(property, other, `${at}.${name}`);
      return when(is['additionalProperties'] === false, `${at}.${name} is not taken any more`);
    }),
    ...itemChanges(was, is, at, sentChanges),
  ];
}

const lower = ['maxLength', 'maxItems', 'maximum'];
const higher = ['minLength', 'minItems', 'minimum'];

/** What clients read and do not get, or do not know. */
function receivedChanges(was: OpenApiSchema, is: OpenApiSchema, at: string): string[] {
  const others = choicesOf(is);
  if (others.length > 1 || choicesOf(was).length > 1)
    return others.flatMap((other) =>
      when(
        !choicesOf(was).some((choice) => receivedChanges(choice, other, at).length === 0),
        `${at}: it has a form that clients do not know`,
      ),
    );
  const [values, given] = [valuesOf(was), valuesOf(is)];
  const isNew =
    values !== undefined && !(given ?? [undefined]).every((each) => values.includes(each));
  return [
    ...when(was['type'] !== is['type'], `${at} is a ${String(is['type'])} now`),
    ...when(isNew, `${at} has a value that clients do not know`),
    ...propertiesOf(was).flatMap(([name, property]) => {
      const other = propertyOf(is, name);
      if (other === undefined) return [`${at}.${name} is gone`];
      const mayLack = requiredOf(was).includes(name) && !requiredOf(is).includes(name);
      return [
        ...when(mayLack, `${at}.${name} may be missing now`),
        ...receivedChanges(property, other, `${at}.${name}`),
      ];
    }),
    ...itemChanges(was, is, at, receivedChanges),
  ];
}

function itemChanges(
  was: OpenApiSchema,
  is: OpenApiSchema,
  at: string,
  changes: typeof sentChanges,
): string[] {
  if (was['items'] === undefined || is['items'] === undefined) return [];
  return changes(was['items'] as OpenApiSchema, is['items'] as OpenApiSchema, `${at}[]`);
}

/** A document without what differs from place to place and what no client relies on; to be kept and compared. */
export function settled(document: OpenApiDocument): object {
  const left = new Set(['servers', 'example', 'examples', 'contact']);
  const walk = (part: unknown, isNames = false): unknown => {
    if (Array.isArray(part)) return part.map((each) => walk(each));
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(
      Object.entries(part)
        .filter(([key]) => isNames || !left.has(key))
        // Of refusals the codes are the contract, and those stand in the schema.
        .filter(([key]) => isNames || !['headers'].includes(key))
        .map(([key, value]) => [key, walk(value, key === 'properties' || key === 'paths')]),
    );
  };
  return walk(document) as object;
}
