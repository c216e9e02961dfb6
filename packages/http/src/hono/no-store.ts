import { createMiddleware } from 'hono/factory';

/** Keeps answers out of every cache: for routes whose answers hold tokens or personal data. */
export const noStore = createMiddleware(async (c, next) => {
  await next();
  c.header('Cache-Control', 'no-store');
});
