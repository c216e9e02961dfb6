import { noStore } from '@svc/http/hono';
import { Hono } from 'hono';
import type { Auth } from '../auth.ts';
import type { OAuth } from '../oauth/oauth.ts';
import { atTenant } from './at-tenant.ts';
import type { AuthEnv } from './require-user.ts';
import { identityRoutes } from './routes/identity-routes.ts';
import { oauthSignInRoutes, type OAuthSignInOptions } from './routes/oauth-sign-in-routes.ts';

export type OAuthRoutesOptions = OAuthSignInOptions;

/** The routes of signing in at providers, to be mounted beside `authRoutes`: `app.route('/auth', oauthRoutes(auth, oauth))`. */
export function oauthRoutes(auth: Auth, oauth: OAuth, options: OAuthRoutesOptions = {}) {
  return new Hono<AuthEnv>()
    .use(noStore, atTenant(auth, options))
    .route('/', oauthSignInRoutes(auth, oauth, options))
    .route('/', identityRoutes(auth, oauth, options));
}
