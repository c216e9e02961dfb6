import { auditRoutes } from '@svc/audit/hono';
import { actorOf } from '@svc/auth';
import {
  type AuthEnv,
  authRoutes,
  jwksRoutes,
  oauthRoutes,
  passkeyRoutes,
  requirePermission,
  requireUser,
  sessionCookieName,
} from '@svc/auth/hono';
import { HandlerTimeout } from '@svc/http';
import {
  type HttpEnv,
  openapiRoutes,
  operation,
  probeRoutes,
  problemRoutes,
  stack,
} from '@svc/http/hono';
import { RateLimited } from '@svc/ratelimit';
import { Hono } from 'hono';
import * as v from 'valibot';
import { supportRoutes } from './admin/project-routes.ts';
import { userRoutes } from './admin/routes.ts';
import { controlRoutes } from './control.ts';
import { projectRoutes } from './projects/routes.ts';
import { addressLimit } from './rate-limits.ts';
import type { Services } from './services.ts';

const info = {
  title: 'Projects',
  version: '0.1.0',
  description: 'A small product that shows svc at work.',
};

const securitySchemes = {
  session: { type: 'apiKey', in: 'cookie', name: sessionCookieName },
  bearer: { type: 'http', scheme: 'bearer' },
};

/** The Projects app: its routes over its services. */
export function createApp({
  settings,
  logger,
  clock,
  health,
  audit,
  auth,
  passkeys,
  oauth,
  serviceTokens,
  cursors,
  db,
  limits,
  idempotency,
  projects,
}: Services) {
  // Pages of these may send unsafe requests with the session cookie.
  const pages = { allowedOrigins: settings.corsOrigins };
  const typeBase = `${settings.publicUrl}/errors`;
  const app = new Hono<HttpEnv>();
  stack(app, {
    logger,
    clock,
    trustedProxies: settings.trustedProxies,
    cors: { origins: settings.corsOrigins, credentials: true },
    bodyLimit: { maxBytes: settings.bodyLimitBytes, readTimeoutMs: settings.bodyTimeoutMs },
    handlerTimeoutMs: settings.handlerTimeoutMs,
    typeBase,
  });

  app.use(addressLimit(limits, settings));

  const auditLog = new Hono<AuthEnv>().use(requireUser(auth, pages)).route(
    '/',
    auditRoutes(audit, {
      guard: requirePermission(auth, 'audit.read'),
      actorOf: (c) => actorOf(c.get('principal')),
    }),
  );

  const routes = app
    .get(
      '/ping',
      operation({
        id: 'ping',
        summary: 'Answer at once',
        tags: ['Service'],
        responses: {
          200: { description: 'The service answers', schema: v.object({ pong: v.literal(true) }) },
        },
        security: 'none',
      }),
      (c) => c.json({ pong: true as const }),
    )
    .route('/', probeRoutes(health))
    .route('/auth', authRoutes(auth, pages))
    .route('/auth', passkeyRoutes(auth, passkeys, pages))
    .route('/auth', oauthRoutes(auth, oauth, pages))
    .route('/.well-known', jwksRoutes(serviceTokens))
    .route('/projects', projectRoutes({ projects, auth, idempotency, db }, pages))
    .route('/admin/users', userRoutes(auth, cursors, pages))
    .route('/admin/projects', supportRoutes(projects, auth, pages))
    .route('/admin/audit', auditLog);
  if (settings.acceptance) app.route('/_acceptance', controlRoutes(clock));
  // Last, because they speak of the routes before them.
  app.route('/', problemRoutes(app, { typeBase }));
  app.route(
    '/',
    openapiRoutes(app, {
      info,
      securitySchemes,
      failures: [HandlerTimeout, RateLimited],
      typeBase,
    }),
  );
  return routes;
}
