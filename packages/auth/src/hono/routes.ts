import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { Auth } from '../auth.ts';
import type { AuthEnv, PagesOptions } from './require-user.ts';
import { deviceRoutes } from './routes/device-routes.ts';
import { signInRoutes } from './routes/sign-in-routes.ts';

/** The routes of sign-in, to be mounted where the links of the mails lead: `app.route('/auth', authRoutes(auth))`. */
export function authRoutes(auth: Auth, options: PagesOptions = {}) {
  return new Hono<AuthEnv>()
    .use(noStore)
    .route('/', signInRoutes(auth, options))
    .route('/', deviceRoutes(auth, options));
}

const noStore = createMiddleware(async (c, next) => {
  await next();
  c.header('Cache-Control', 'no-store');
});
