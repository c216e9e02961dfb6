import { Hono } from 'hono';
import { renderVersionsPage } from '../versions-page.ts';
import type { AnyApp } from './any-app.ts';
import { deprecated, type DeprecatedOptions } from './deprecated.ts';
import { type OpenApiOptions, openapiRoutes } from './openapi-routes.ts';
import { operation } from './operation.ts';
import { sendPage } from './send-page.ts';

/** One version of an API. */
export interface ApiVersion {
  /** The first segment of its paths, such as `v1`. */
  readonly name: string;
  /** Its routes, without that segment. */
  readonly app: AnyApp;
  /** Its document; `servers` is known. */
  readonly openapi: Omit<OpenApiOptions, 'servers'>;
  /** @default not deprecated */
  readonly deprecated?: DeprecatedOptions;
}

export interface ApiVersionsOptions {
  /** What the landing page is headed. */
  title: string;
  /** In the order of the landing page. */
  versions: readonly ApiVersion[];
  /** Where all of it can be reached, with the path that it is mounted at. @default '', the document's own origin */
  publicUrl?: string;
}

/**
 * Routes every version below its name, with `openapi.json` and `docs` of its own, and a landing page at `/`. What is
 * deprecated says so on every answer.
 *
 * @throws {TypeError} when a name is no single segment, is given twice, or two routes of a version share an operation id.
 */
export function apiVersions({ title, versions, publicUrl = '' }: ApiVersionsOptions): Hono {
  const base = publicUrl.replace(/\/$/, '');
  const names = new Set(versions.map(({ name }) => name));
  if (names.size < versions.length || ![...names].every((name) => /^[\w.-]+$/.test(name)))
    throw new TypeError('versions have names such as v1, each its own');
  const routes = new Hono();
  for (const { name, app, openapi, deprecated: ending } of versions) {
    if (ending !== undefined) {
      routes.use(`/${name}`, deprecated(ending));
      routes.use(`/${name}/*`, deprecated(ending));
    }
    const servers = [{ url: `${base}/${name}` }];
    routes.route(`/${name}`, openapiRoutes(app, { ...openapi, servers }));
    routes.route(`/${name}`, app);
  }
  const page = renderVersionsPage(title, versions.map(toSummary));
  const landing = { tags: [], responses: {}, hidden: true } as const;
  return routes.get('/', operation({ ...landing, id: 'apiVersions', summary: title }), (c) =>
    sendPage(c, page),
  );
}

function toSummary({ name, deprecated: ending }: ApiVersion) {
  const sunset = ending?.sunset?.toISOString().slice(0, 10);
  const end = sunset === undefined ? '' : `, ends on ${sunset}`;
  const state =
    ending === undefined
      ? 'current'
      : `deprecated since ${ending.since.toISOString().slice(0, 10)}${end}`;
  return { name, docs: `${name}/docs`, state };
}
