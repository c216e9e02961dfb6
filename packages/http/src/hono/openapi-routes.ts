import { Hono } from 'hono';
import { docsPage } from '../docs-page.ts';
import { RouteNotFound } from '../failures.ts';
import { pagePolicy } from '../html.ts';
import { problemPage } from '../problem-page.ts';
import type { OpenApiDocument } from '../openapi-document.ts';
import { documentedFailures, toOpenApi, type OpenApiOptions } from './openapi.ts';

/** `GET /openapi.json`, `GET /docs`, and `GET /errors/:code`, where the `type` of a problem leads. Mount it last: it documents the routes of `app`. */
// oxlint-disable-next-line no-explicit-any -- any app, whatever its environment holds
export function openapiRoutes(app: Hono<any>, options: OpenApiOptions) {
  let made: { document: OpenApiDocument; json: string; html: string } | undefined;
  const documents = () => {
    if (made === undefined) {
      const document = toOpenApi(app, options);
      made = { document, json: JSON.stringify(document), html: docsPage(document) };
    }
    return made;
  };
  return new Hono()
    .get('/openapi.json', (c) => c.body(documents().json, 200, { 'content-type': 'application/json' }))
    .get('/docs', (c) => c.html(documents().html, 200, { 'content-security-policy': pagePolicy }))
    .get('/errors/:code', (c) => {
      const html = problemPage(c.req.param('code'), documentedFailures(app));
      if (html === undefined) throw new RouteNotFound();
      return c.html(html, 200, { 'content-security-policy': pagePolicy });
    });
}
