import { noStore } from '@svc/http/hono';
import { Hono } from 'hono';
import type { Auth } from '../auth.ts';
import { atTenant } from './at-tenant.ts';
import type { AuthEnv, PagesOptions } from './require-user.ts';
import { accountRoutes } from './routes/account-routes.ts';
import { apiKeyRoutes } from './routes/api-key-routes.ts';
import { deviceRoutes } from './routes/device-routes.ts';
import { mfaRoutes } from './routes/mfa-routes.ts';
import { refreshRoutes } from './routes/refresh-routes.ts';
import { sessionRoutes } from './routes/session-routes.ts';
import { signInRoutes } from './routes/sign-in-routes.ts';
import { stepUpRoutes } from './routes/step-up-routes.ts';

/** The routes of sign-in, to be mounted where the links of the mails lead: `app.route('/auth', authRoutes(auth))`. */
export function authRoutes(auth: Auth, options: PagesOptions = {}) {
  return new Hono<AuthEnv>()
    .use(noStore, atTenant(auth, options))
    .route('/', signInRoutes(auth, options))
    .route('/', accountRoutes(auth, options))
    .route('/', refreshRoutes(auth))
    .route('/', sessionRoutes(auth, options))
    .route('/', apiKeyRoutes(auth, options))
    .route('/', stepUpRoutes(auth, options))
    .route('/', mfaRoutes(auth, options))
    .route('/', deviceRoutes(auth, options));
}
