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

const Slow = v.strictObject({
  ms: v.pipe(v.string(), v.regex(/^\d{1,5}$/), v.transform(Number)),
  key: v.optional(v.pipe(v.string(), v.maxLength(50)), ''),
});

/** What the gate needs and a product does not have. Mounted only with `ACCEPTANCE=true`, never in production. */
export function controlRoutes(clock: Clock) {
  const aborted = new Set<string>();
  return new Hono<HttpEnv>()
    .get(
      '/slow',
      documented('slow', 'Answer after a while'),
      validated('query', Slow),
      async (c) => {
        const { ms, key } = c.req.valid('query');
        await clock.sleep(ms, c.get('signal')).catch((reason: unknown) => {
          aborted.add(key);
          throw reason;
        });
        return c.json({ slept: ms });
      },
    )
    .get('/aborted', documented('aborted', 'List the slow answers that were cut off'), (c) =>
      c.json({ aborted: [...aborted] }),
    )
    .get('/broken', documented('broken', 'Throw what nobody expected'), () => {
      throw new Error('the password is swordfish');
    });
}
