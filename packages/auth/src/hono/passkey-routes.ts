import { noStore } from '@svc/http/hono';
import { Hono } from 'hono';
import type { Auth } from '../auth.ts';
import type { Passkeys } from '../passkeys/passkeys.ts';
import { atTenant } from './at-tenant.ts';
import type { AuthEnv, PagesOptions } from './require-user.ts';
import { passkeyManagementRoutes } from './routes/passkey-management-routes.ts';
import { passkeySignInRoutes } from './routes/passkey-sign-in-routes.ts';

/** The routes of passkeys, to be mounted beside `authRoutes`: `app.route('/auth', passkeyRoutes(auth, passkeys))`. */
export function passkeyRoutes(auth: Auth, passkeys: Passkeys, options: PagesOptions = {}) {
  return new Hono<AuthEnv>()
    .use(noStore, atTenant(auth, options))
    .route('/', passkeyManagementRoutes(auth, passkeys, options))
    .route('/', passkeySignInRoutes(auth, passkeys, options));
}
