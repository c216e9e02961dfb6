import { Hono } from 'hono';
import { hc, type InferRequestType, type InferResponseType } from 'hono/client';
import * as v from 'valibot';
import { expectTypeOf, test } from 'vitest';
import { operation, validated } from '../src/hono.ts';

const things = new Hono()
  .get('/:id', operation({ id: 'a', summary: 'a', tags: [], responses: {} }), validated('param', v.object({ id: v.string() })), (c) => {
    expectTypeOf(c.req.valid('param')).toEqualTypeOf<{ id: string }>();
    return c.json({ id: c.req.param('id') });
  })
  .post('/', validated('json', v.object({ name: v.string(), size: v.optional(v.number()) })), (c) => c.json({ ok: true as const }, 201));
const app = new Hono().route('/things', things);

test('the types of a typed client survive app.route', () => {
  const client = hc<typeof app>('http://localhost');
  expectTypeOf<InferRequestType<typeof client.things.$post>>().toEqualTypeOf<{ json: { name: string; size?: number | undefined } }>();
  expectTypeOf<InferResponseType<(typeof client.things)[':id']['$get']>>().toEqualTypeOf<{ id: string }>();
});
