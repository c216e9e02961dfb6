import type { FailureType } from '@svc/core';
import type { MiddlewareHandler } from 'hono';
import { every } from 'hono/combine';
import { findTargetHandler } from 'hono/utils/handler';
import type { DocumentedHeader } from '../openapi.ts';
import type { AnyApp } from './any-app.ts';

/** What a middleware adds to each operation behind it. */
export interface MiddlewareDocs {
  /** The methods it acts on. @default every method */
  readonly methods?: readonly string[];
  /** Headers that it reads, by name. @default none */
  readonly requestHeaders?: Readonly<Record<string, DocumentedHeader>>;
  /** Headers that it sets, by name. @default none */
  readonly responseHeaders?: Readonly<Record<string, DocumentedHeader>>;
  /** What it refuses with. @default none */
  readonly failures?: readonly FailureType[];
  /** Whether it refuses requests without credentials, so that what stands behind it is not public. @default false */
  readonly guards?: boolean;
}

const docsKey = Symbol.for('@svc/http middleware docs');

interface Documented {
  readonly [docsKey]: readonly MiddlewareDocs[];
}

/** Says in the OpenAPI document, at every operation behind the middleware, what it takes and answers; changes nothing about requests. */
export function documentMiddleware<Handler extends MiddlewareHandler>(
  middleware: Handler,
  ...docs: readonly MiddlewareDocs[]
): Handler {
  return Object.assign(middleware, { [docsKey]: docs });
}

/** Several middlewares as one, each behind the former, with what they say of themselves. */
export const inTurn = <Env extends object>(
  ...middlewares: readonly MiddlewareHandler<Env>[]
): MiddlewareHandler =>
  documentMiddleware(
    every(...(middlewares as readonly MiddlewareHandler[])),
    ...middlewares.flatMap((each) => (each as Partial<Documented>)[docsKey] ?? []),
  );

/** What the middlewares before the handler of a route say, in the order they run. */
export function docsBefore(
  app: AnyApp,
  { method, path }: { readonly method: string; readonly path: string },
): MiddlewareDocs[] {
  const routes = app.routes;
  const isRoute = (each: { method: string; path: string }) =>
    each.method === method && each.path === path;
  // What stands after it is not reached.
  return routes.slice(0, routes.findLastIndex(isRoute)).flatMap((each) => {
    if (each.method !== 'ALL' && each.method !== method) return [];
    if (!covers(each.path, path)) return [];
    return docsOf(each).filter(({ methods }) => methods?.includes(method) !== false);
  });
}

/** What any middleware of an app refuses with. */
export const failuresOfMiddlewares = (app: AnyApp): FailureType[] =>
  app.routes.flatMap((each) => docsOf(each).flatMap(({ failures = [] }) => failures));

const docsOf = ({ handler }: AnyApp['routes'][number]) =>
  (findTargetHandler(handler) as Partial<Documented>)[docsKey] ?? [];

function covers(pattern: string, path: string): boolean {
  if (pattern === path || pattern === '*') return true;
  if (!pattern.endsWith('/*')) return false;
  const prefix = pattern.slice(0, -2);
  return path === prefix || path.startsWith(`${prefix}/`);
}
