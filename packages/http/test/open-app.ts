import { type LogLine, recordingLogger } from '@svc/core/testing';
import { failure } from '@svc/core';
import { Hono } from 'hono';
import * as v from 'valibot';
import { type HttpEnv, openapiRoutes, operation, stack, validated } from '../src/hono.ts';

export class OutOfStock extends failure('shop.out_of_stock', 'conflict', 'The article is sold out.') {}
export class Busy extends failure('shop.busy', 'unavailable', 'Too many at once.') {}

const Order = v.strictObject({
  article: v.pipe(v.string(), v.minLength(1), v.maxLength(20)),
  count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  tags: v.optional(v.array(v.string())),
});

/** A shop with everything installed, and what it logged. */
export function openApp() {
  const lines: LogLine[] = [];
  const app = new Hono<HttpEnv>();
  stack(app, {
    typeBase: 'https://api.example.test/errors',
    logger: recordingLogger(lines),
    cors: { origins: ['https://app.example.test'] },
  });
  const orders = new Hono<HttpEnv>()
    .get('/', operation({ id: 'listOrders', summary: 'List orders', tags: ['Orders'], responses: { 200: { description: 'All', schema: v.array(Order) } } }),
      validated('query', v.strictObject({ limit: v.optional(v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number)), '10') })),
      (c) => c.json({ limit: c.req.valid('query').limit }))
    .post('/', operation({ id: 'createOrder', summary: 'Order', tags: ['Orders'], responses: { 201: { description: 'Ordered', schema: Order } }, failures: [OutOfStock] }),
      validated('json', Order), (c) => c.json(c.req.valid('json'), 201))
    .get('/:id', operation({ id: 'getOrder', summary: 'Read', tags: ['Orders'], responses: { 200: { description: 'It' } } }), (c) => {
      if (c.req.param('id') === 'busy') throw new Busy({ retryAfterSeconds: 7 });
      if (c.req.param('id') === 'bug') throw new Error('the password is swordfish');
      throw new OutOfStock({ detail: 'Come back on Monday.' });
    })
    .post('/form', operation({ id: 'formOrder', summary: 'Order by form', tags: ['Orders'], responses: { 200: { description: 'It' } } }),
      validated('form', v.strictObject({ article: v.string() })), (c) => c.json(c.req.valid('form')));
  const routes = app.route('/orders', orders).get('/undocumented', (c) => c.text('x'));
  app.route('/', openapiRoutes(app, { info: { title: 'Shop', version: '1', description: 'A shop' } }));
  return { app: routes, lines };
}

/** Posts a body as JSON, as it is. */
export const post = (app: ReturnType<typeof openApp>['app'], body: string | Uint8Array<ArrayBuffer> | null, headers: Record<string, string> = {}) =>
  app.request('/orders', { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
