import { createMiddleware } from 'hono/factory';

/** Keeps answers out of every cache: they hold tokens and names. */
export const noStore = createMiddleware(async (c, next) => {
  await next();
  c.header('Cache-Control', 'no-store');
});
