import { type FailureType, ValidationFailed } from '@svc/core';
import { toJsonSchema } from '@valibot/to-json-schema';
import type { Hono } from 'hono';
import { METHOD_NAME_ALL } from 'hono/router';
import { findTargetHandler } from 'hono/utils/handler';
import { MalformedBody, UnsupportedMediaType } from '../failures.ts';
import { BodyTimeout, BodyTooLarge, HandlerTimeout } from '../limit-failures.ts';
import type { OpenApiDocument, OpenApiInfo, OpenApiOperation } from '../openapi-document.ts';
import { problemSchema, statusOf } from '../problem.ts';
import { type Description, descriptionOf, type OperationDescription, type Schema, type Target } from './description.ts';

export interface OpenApiOptions {
  info: OpenApiInfo;
  /** Where the API is reached. @default none, which means where the document came from */
  servers?: readonly { url: string; description?: string }[];
  /** How callers authenticate. @default the session cookie and a bearer token */
  securitySchemes?: Readonly<Record<string, object>>;
}

// oxlint-disable-next-line no-explicit-any -- any app, whatever its environment holds
type App = Hono<any>;

const defaultSchemes = {
  session: { type: 'apiKey', in: 'cookie', name: '__Host-sid' },
  bearer: { type: 'http', scheme: 'bearer' },
};

/** The OpenAPI document of every route that has an `operation`. @throws {TypeError} when two operations share an id */
export function toOpenApi(app: App, { info, servers = [], securitySchemes = defaultSchemes }: OpenApiOptions): OpenApiDocument {
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  const ids = new Map<string, string>();
  for (const { method, path, descriptions } of operationsOf(app)) {
    const operation = descriptions.find((each) => each.operation)?.operation;
    if (operation === undefined) continue;
    const place = `${method} ${path}`;
    const other = ids.get(operation.id);
    if (other !== undefined) throw new TypeError(`the operation id ${operation.id} is used by ${other} and by ${place}`);
    ids.set(operation.id, place);
    (paths[toTemplate(path)] ??= {})[method.toLowerCase()] = toOperation(operation, descriptions, path);
  }
  return {
    openapi: '3.1.1',
    info,
    ...(servers.length > 0 && { servers }),
    paths,
    components: { securitySchemes, schemas: { Problem: problemSchema } },
    security: Object.keys(securitySchemes).map((scheme) => ({ [scheme]: [] })),
  };
}

/** Every failure that a documented route may answer with, by code: what the error pages are made from. */
export function documentedFailures(app: App): ReadonlyMap<string, FailureType> {
  const failures = operationsOf(app).flatMap(({ descriptions }) => failuresOf(descriptions));
  return new Map(failures.map((each) => [each.code, each]));
}

/** The routes without an `operation`: they are missing from the document. */
export function undocumentedRoutes(app: App): readonly string[] {
  return operationsOf(app)
    .filter(({ descriptions }) => !descriptions.some((each) => each.operation))
    .map(({ method, path }) => `${method} ${path}`);
}

interface RouteDescription {
  method: string;
  path: string;
  descriptions: Description[];
}

function operationsOf(app: App): RouteDescription[] {
  const routes = new Map<string, RouteDescription>();
  for (const { method, path, handler } of app.routes) {
    if (method === METHOD_NAME_ALL) continue;
    const route = routes.get(`${method} ${path}`) ?? { method, path, descriptions: [] };
    routes.set(`${method} ${path}`, route);
    const description = descriptionOf(findTargetHandler(handler));
    if (description !== undefined) route.descriptions.push(description);
  }
  return [...routes.values()];
}

function toOperation(operation: OperationDescription, descriptions: Description[], path: string): OpenApiOperation {
  const { id, summary, description, tags, responses, security } = operation;
  const body = schemaOf(descriptions, 'json');
  const form = schemaOf(descriptions, 'form');
  const content = {
    ...(body !== undefined && { 'application/json': { schema: toSchema(body, 'input') } }),
    ...(form !== undefined && { 'application/x-www-form-urlencoded': { schema: toSchema(form, 'input') } }),
  };
  const parameters = toParameters(descriptions, path);
  return {
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    tags,
    ...(parameters.length > 0 && { parameters }),
    ...(Object.keys(content).length > 0 && { requestBody: { required: true, content } }),
    responses: {
      ...Object.fromEntries(Object.entries(responses).map(([status, each]) => [status, toResponse(each)])),
      ...toProblemResponses(failuresOf(descriptions)),
    },
    ...(security === 'none' && { security: [] }),
  };
}

const toResponse = ({ description, schema, example }: OperationDescription['responses'][number]) => ({
  description,
  ...(schema !== undefined && {
    content: { 'application/json': { schema: toSchema(schema, 'output'), ...(example !== undefined && { example }) } },
  }),
});

function failuresOf(descriptions: Description[]): FailureType[] {
  const operation = descriptions.find((each) => each.operation)?.operation;
  if (operation === undefined) return [];
  const takesBody = schemaOf(descriptions, 'json') !== undefined || schemaOf(descriptions, 'form') !== undefined;
  return [
    ...(operation.failures ?? []),
    ...(descriptions.some((each) => each.validates) ? [ValidationFailed] : []),
    ...(takesBody ? [MalformedBody, UnsupportedMediaType, BodyTooLarge, BodyTimeout] : []),
    HandlerTimeout,
  ];
}

/** One response for each status, naming the codes that it may come with. */
function toProblemResponses(failures: readonly FailureType[]): Record<string, object> {
  const byStatus = Map.groupBy(new Map(failures.map((each) => [each.code, each])).values(), (each) => statusOf(each));
  const schema = { $ref: '#/components/schemas/Problem' };
  const respond = (description: string) => ({ description, content: { 'application/problem+json': { schema } } });
  return {
    ...Object.fromEntries([...byStatus].map(([status, each]) => [status, respond(each.map(({ code, title }) => `\`${code}\`: ${title}`).join(' '))])),
    500: respond('`internal`: Something went wrong on our side.'),
  };
}

function toParameters(descriptions: Description[], path: string): object[] {
  const places = { param: 'path', query: 'query', header: 'header' } as const;
  const described = Object.entries(places).flatMap(([target, place]) => {
    const schema = schemaOf(descriptions, target as Target);
    if (schema === undefined) return [];
    const { properties = {}, required = [] } = toSchema(schema, 'input') as { properties?: Record<string, object>; required?: string[] };
    return Object.entries(properties).map(([name, each]) => ({ name, in: place, required: place === 'path' || required.includes(name), schema: each }));
  });
  const named = new Set(described.filter(({ in: place }) => place === 'path').map(({ name }) => name));
  const bare = [...path.matchAll(/:(\w+)/g)].map((match) => match[1] as string).filter((name) => !named.has(name));
  return [...described, ...bare.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))];
}

const schemaOf = (descriptions: Description[], target: Target): Schema | undefined =>
  descriptions.find((each) => each.validates?.target === target)?.validates?.schema;

function toSchema(schema: Schema, typeMode: 'input' | 'output'): object {
  // What JSON Schema cannot say (a check, a transform) is left out; the rest still documents the shape.
  const { $schema: _, ...json } = toJsonSchema(schema, { typeMode, target: 'draft-2020-12', errorMode: 'ignore' });
  return json;
}

const toTemplate = (path: string) => path.replace(/:(\w+)(?:\{[^}]*\})?\??/g, '{$1}');
