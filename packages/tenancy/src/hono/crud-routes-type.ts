import type { Hono } from 'hono';
import type * as v from 'valibot';
import type { AnyObjectSchema, ListInput, Version } from './crud-schemas.ts';
import type { TenantEnv } from './require-tenant.ts';

interface OfOne {
  param: { id: string };
}

interface Answer<Output, Status extends number> {
  output: Output;
  outputFormat: 'json';
  status: Status;
}

/** What a typed client (`hc`) knows of the routes of `tenantCrud`. */
export type TenantCrudRoutes<
  Create extends AnyObjectSchema,
  Change extends AnyObjectSchema,
  Body extends AnyObjectSchema,
> = Hono<
  TenantEnv,
  {
    '/': {
      $get: { input: { query: ListInput } } & Answer<
        { items: v.InferOutput<Body>[]; nextCursor: string | null },
        200
      >;
      $post: { input: { json: v.InferInput<Create> } } & Answer<v.InferOutput<Body>, 201>;
    };
    '/:id': {
      $get: { input: OfOne } & Answer<v.InferOutput<Body>, 200>;
      $patch: { input: OfOne & { json: v.InferInput<Change> & Version } } & Answer<
        v.InferOutput<Body>,
        200
      >;
      $delete: { input: OfOne; output: null; outputFormat: 'body'; status: 204 };
    };
  },
  '/'
>;
