import type { FailureType } from '@svc/core';
import { Hono } from 'hono';
import { generateSpecs } from 'hono-openapi';
import { findTargetHandler, isMiddleware } from 'hono/utils/handler';
import { renderDocsPage } from '../docs-page.ts';
import { documentHeaders, documentProblems, type OpenApiDocument } from '../openapi.ts';
import { documentExamples } from '../openapi-examples.ts';
import { docsBefore } from './middleware-docs.ts';
import {
  type DocumentedRoute,
  documentedRoutes,
  operation,
  type OperationOptions,
} from './operation.ts';
import { sendPage } from './send-page.ts';
import type { AnyApp } from './any-app.ts';

export interface OpenApiOptions {
  readonly info: OpenApiDocument['info'];
  /** @default none: the document's own origin */
  readonly servers?: readonly { readonly url: string; readonly description?: string }[];
  /** By name, as OpenAPI writes them; any one of them suffices where an operation says nothing else. @default {} */
  readonly securitySchemes?: Readonly<Record<string, object>>;
  /** What the tags mean, in the order of the docs page. @default none */
  readonly tags?: readonly { readonly name: string; readonly description?: string }[];
  /** What every operation can answer, such as limits. @default [] */
  readonly failures?: readonly FailureType[];
  /** Whether an operation belongs to this document, such as by its tags: one app can have one for the public and one for admins. @default all */
  readonly includes?: (operation: OperationOptions) => boolean;
  /** As given to `problems`. @default '/errors' */
  readonly typeBase?: string;
}

/**
 * The OpenAPI 3.1.1 document of an app, with every problem of every operation.
 *
 * @throws {TypeError} when two routes share an operation id.
 */
export async function openapiDocument(
  app: AnyApp,
  options: OpenApiOptions,
): Promise<OpenApiDocument> {
  const {
    info,
    servers,
    securitySchemes = {},
    tags,
    failures = [],
    includes = () => true,
    typeBase = '/errors',
  } = options;
  const operations = operationsById(app);
  const isShown = (id = '') => {
    const route = operations.get(id);
    return route === undefined || includes(route.operation);
  };
  const generated = await generateSpecs(app, {
    // Left alone it drops /openapi.json-like paths and adds an answer that repeats the body.
    excludeStaticFile: false,
    defaultValidationErrorResponse: false,
    documentation: { openapi: '3.1.1', info: { description: '', ...info } },
  });
  const schemes = Object.keys(securitySchemes);
  const document: OpenApiDocument = {
    // The way back to JSON drops `undefined` and shared references.
    ...(JSON.parse(JSON.stringify(generated)) as OpenApiDocument),
    tags:
      tags ??
      namesOfTags([...operations.values()].filter((route) => includes(route.operation))).map(
        (name) => ({ name }),
      ),
    ...(servers === undefined ? {} : { servers }),
    ...(schemes.length === 0 ? {} : { security: schemes.map((name) => ({ [name]: [] })) }),
    components: {
      ...(generated.components as object),
      ...(schemes.length === 0 ? {} : { securitySchemes }),
    },
  };
  const docsOf = (id: string) => {
    const route = operations.get(id);
    return route === undefined ? [] : docsBefore(app, route);
  };
  const failuresOf = (id: string) => [
    ...(operations.get(id)?.operation.failures ?? []),
    ...docsOf(id).flatMap((docs) => docs.failures ?? []),
  ];
  const scoped = documentExamples({ ...document, paths: pathsOf(document, isShown) });
  return documentHeaders(
    documentProblems(scoped, { failuresOf, common: failures, typeBase }),
    (id) => ({
      request: Object.assign({}, ...docsOf(id).map((docs) => docs.requestHeaders)),
      response: Object.assign({}, ...docsOf(id).map((docs) => docs.responseHeaders)),
    }),
  );
}

/**
 * Routes `GET /openapi.json` and `GET /docs`: the document of `app`, and a page that shows it without
 * a script or anything from elsewhere. Made at the first request, when every route is there.
 *
 * @throws {TypeError} when two routes share an operation id.
 */
export function openapiRoutes(app: AnyApp, options: OpenApiOptions): Hono {
  operationsById(app);
  let document: Promise<OpenApiDocument> | undefined;
  const open = () => (document ??= openapiDocument(app, options));
  const hidden = { tags: [], responses: {}, hidden: true } as const;
  const routes = new Hono();
  routes.get(
    '/openapi.json',
    operation({ ...hidden, id: 'openapiDocument', summary: 'This document' }),
    async (c) => c.json(await open(), 200, { 'Cache-Control': 'no-cache' }),
  );
  routes.get(
    '/docs',
    operation({ ...hidden, id: 'docsPage', summary: 'This document, for people' }),
    async (c) => sendPage(c, renderDocsPage(await open(), 'openapi.json')),
  );
  return routes;
}

/** The routes, as `GET /path`, that no `operation` describes. Apps mounted with `app.mount()` are not seen. */
export function undocumentedRoutes(app: AnyApp): string[] {
  const nameOf = ({ method, path }: { readonly method: string; readonly path: string }) =>
    `${method} ${path}`;
  const documented = new Set(documentedRoutes(app).map(nameOf));
  const answering = app.routes.filter(
    ({ method, handler }) => method !== 'ALL' || !isMiddleware(findTargetHandler(handler)),
  );
  return [...new Set(answering.map(nameOf))].filter((name) => !documented.has(name));
}

/** What describes each operation, by its id. @throws {TypeError} when two routes share one. */
export function operationsById(app: AnyApp): ReadonlyMap<string, DocumentedRoute> {
  const byId = new Map<string, DocumentedRoute>();
  for (const route of documentedRoutes(app)) {
    const other = byId.get(route.operation.id);
    if (other !== undefined && (other.method !== route.method || other.path !== route.path)) {
      const places = `${other.method} ${other.path} and ${route.method} ${route.path}`;
      throw new TypeError(`The operation id ${route.operation.id} is used by ${places}.`);
    }
    byId.set(route.operation.id, route);
  }
  return byId;
}

function namesOfTags(routes: Iterable<DocumentedRoute>): string[] {
  const shown = [...routes].filter((route) => route.operation.hidden !== true);
  return [...new Set(shown.flatMap((route) => route.operation.tags ?? []))];
}

/** Only the paths and methods whose operation is shown. */
function pathsOf(
  { paths }: OpenApiDocument,
  isShown: (id?: string) => boolean,
): OpenApiDocument['paths'] {
  const kept = Object.entries(paths).map(([path, operations]) => {
    const shown = Object.entries(operations).filter(([, one]) => isShown(one.operationId));
    return [path, Object.fromEntries(shown)] as const;
  });
  return Object.fromEntries(kept.filter(([, operations]) => Object.keys(operations).length > 0));
}
