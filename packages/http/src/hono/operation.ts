import type { FailureType } from '@svc/core';
import type { MiddlewareHandler } from 'hono';
import { describeRoute } from 'hono-openapi';
import type { BlankEnv } from 'hono/types';
import { findTargetHandler } from 'hono/utils/handler';
import type { AnySchema } from '../field-errors.ts';
import { jsonSchemaOf } from '../openapi.ts';
import type { AnyApp } from './any-app.ts';

/** One answer of an operation. */
export interface OperationResponse {
  readonly description: string;
  /** What the body is. @default no body */
  readonly schema?: AnySchema;
  /** A body that fits the schema. @default none */
  readonly example?: unknown;
  /** One, or those that a client may choose from. @default 'application/json' */
  readonly contentType?: string | readonly string[];
}

export interface OperationOptions {
  /** Unique in the app; clients name their methods after it. */
  readonly id: string;
  /** One line. */
  readonly summary: string;
  /** @default none */
  readonly description?: string;
  /** Where the docs page lists it. @default [] */
  readonly tags?: readonly string[];
  /** The answers that are no problems, by status. */
  readonly responses: Readonly<Record<number, OperationResponse>>;
  /** Every failure it answers with beside those of `validated` and of the whole app. @default [] */
  readonly failures?: readonly FailureType[];
  /** The security schemes of which any one will do, or `'none'`. @default every scheme of the document */
  readonly security?: 'none' | readonly string[];
  /** @default false */
  readonly deprecated?: boolean;
  /** Keeps it out of the document and off the list of undocumented routes. @default false */
  readonly hidden?: boolean;
}

/** An operation and the route that it describes. */
export interface DocumentedRoute {
  readonly method: string;
  readonly path: string;
  readonly operation: OperationOptions;
}

const operationKey = Symbol.for('@svc/http operation');

/** Describes a route in the OpenAPI document; changes nothing about the request. */
export function operation(options: OperationOptions): MiddlewareHandler<BlankEnv> {
  const { id, summary, description, tags = [], responses, security, deprecated, hidden } = options;
  const middleware = describeRoute({
    operationId: id,
    summary,
    tags: [...tags],
    ...(description === undefined ? {} : { description }),
    ...(deprecated === true ? { deprecated } : {}),
    ...(hidden === true ? { hide: true } : {}),
    ...(security === undefined
      ? {}
      : { security: security === 'none' ? [] : security.map((name) => ({ [name]: [] })) }),
    responses: Object.fromEntries(
      Object.entries(responses).map(([status, one]) => [status, toResponse(one)]),
    ),
  });
  return Object.assign(middleware, { [operationKey]: options });
}

function toResponse({
  description,
  schema,
  example,
  contentType = 'application/json',
}: OperationResponse) {
  if (schema === undefined && example === undefined) return { description };
  const content = {
    ...(schema === undefined ? {} : { schema: jsonSchemaOf(schema, 'output') }),
    ...(example === undefined ? {} : { example }),
  };
  const types = [contentType].flat();
  return { description, content: Object.fromEntries(types.map((type) => [type, content])) };
}

/** The routes of an app that `operation` describes. */
export function documentedRoutes(app: AnyApp): DocumentedRoute[] {
  return app.routes.flatMap(({ method, path, handler }) => {
    const target = findTargetHandler(handler) as { readonly [operationKey]?: OperationOptions };
    const described = target[operationKey];
    return described === undefined ? [] : [{ method, path, operation: described }];
  });
}
