import { type HttpEnv, operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import { hc, type InferRequestType, type InferResponseType } from 'hono/client';
import * as v from 'valibot';
import { expectTypeOf, test } from 'vitest';

const projects = new Hono<HttpEnv>().put(
  '/:id',
  operation({ id: 'changeProject', summary: 'Change', responses: { 200: { description: 'x' } } }),
  validated('param', v.strictObject({ id: v.string() })),
  validated('query', v.strictObject({ dry: v.optional(v.string()) })),
  validated(
    'json',
    v.strictObject({ name: v.string(), count: v.pipe(v.string(), v.transform(Number)) }),
  ),
  (c) => {
    expectTypeOf(c.req.valid('json')).toEqualTypeOf<{ name: string; count: number }>();
    expectTypeOf(c.req.valid('param')).toEqualTypeOf<{ id: string }>();
    expectTypeOf(c.get('requestId')).toEqualTypeOf<string>();
    return c.json({ id: c.req.valid('param').id, count: c.req.valid('json').count }, 200);
  },
);
const app = new Hono().route('/projects', projects);

test('the types of a route survive app.route', () => {
  const client = hc<typeof app>('http://localhost');
  const change = client.projects[':id'].$put;
  expectTypeOf<InferRequestType<typeof change>['json']>().toEqualTypeOf<{
    name: string;
    count: string;
  }>();
  expectTypeOf<InferRequestType<typeof change>['param']>().toEqualTypeOf<{ id: string }>();
  expectTypeOf<InferResponseType<typeof change, 200>>().toEqualTypeOf<{
    id: string;
    count: number;
  }>();
});
