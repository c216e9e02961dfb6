import type { Hono } from 'hono';
import type * as v from 'valibot';
import type { AnyObjectSchema, TenantCrudQuery, ExpectedVersion } from './crud-schemas.ts';
import type { TenantEnv } from './require-tenant.ts';

// Aliases and no interfaces: the declarations of an app can spell them out without importing them.
type OfOne = { param: { id: string } };
type Answer<Output, Status extends number> = {
  output: Output;
  outputFormat: 'json';
  status: Status;
};

/** What a typed client (`hc`) knows of the routes of `tenantCrud`. */
export type TenantCrudRoutes<
  Create extends AnyObjectSchema,
  Change extends AnyObjectSchema,
  Body extends AnyObjectSchema,
> = Hono<
  TenantEnv,
  {
    '/': {
      $get: { input: { query: TenantCrudQuery } } & Answer<
        { items: v.InferOutput<Body>[]; nextCursor: string | null },
        200
      >;
      $post: { input: { json: v.InferInput<Create> } } & Answer<v.InferOutput<Body>, 201>;
    };
    '/:id': {
      $get: { input: OfOne } & Answer<v.InferOutput<Body>, 200>;
      $patch: { input: OfOne & { json: v.InferInput<Change> & ExpectedVersion } } & Answer<
        v.InferOutput<Body>,
        200
      >;
      $delete: { input: OfOne; output: null; outputFormat: 'body'; status: 204 };
    };
  },
  '/'
>;
