import type { Clock } from '@svc/core';
import { type HttpEnv, operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import * as v from 'valibot';

const tags = ['Acceptance'];
const documented = (id: string, summary: string) =>
  operation({
    id,
    summary,
    tags,
    responses: { 200: { description: 'As asked', schema: v.looseObject({}) } },
    security: 'none',
  });

/** What the gate needs and a product does not have. Mounted only with `ACCEPTANCE=1`, never in production. */
export function controlRoutes(clock: Clock) {
  let aborted = 0;
  return new Hono<HttpEnv>()
    .get(
      '/slow',
      documented('slow', 'Answer after a while'),
      validated(
        'query',
        v.strictObject({ ms: v.pipe(v.string(), v.regex(/^\d{1,5}$/), v.transform(Number)) }),
      ),
      async (c) => {
        await clock.sleep(c.req.valid('query').ms, c.get('signal')).catch((reason: unknown) => {
          aborted += 1;
          throw reason;
        });
        return c.json({ slept: c.req.valid('query').ms });
      },
    )
    .get('/aborted', documented('aborted', 'Count the slow answers that were cut off'), (c) =>
      c.json({ aborted }),
    )
    .get('/broken', documented('broken', 'Throw what nobody expected'), () => {
      throw new Error('the password is swordfish');
    });
}
