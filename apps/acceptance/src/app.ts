import { authRoutes } from '@svc/auth/hono';
import { type HttpEnv, openapiRoutes, operation, probeRoutes, stack } from '@svc/http/hono';
import { Hono } from 'hono';
import * as v from 'valibot';
import { controlRoutes } from './control.ts';
import { projectRoutes } from './projects/routes.ts';
import type { Services } from './services.ts';

/** The Projects app: its routes over its services. */
export function createApp({ settings, logger, clock, health, auth, projects }: Services) {
  const app = new Hono<HttpEnv>();
  stack(app, {
    logger,
    clock,
    trustedProxies: settings.trustedProxies,
    cors: { origins: settings.corsOrigins },
    bodyLimit: { maxBytes: settings.bodyLimitBytes, readTimeoutMs: settings.bodyTimeoutMs },
    handlerTimeoutMs: settings.handlerTimeoutMs,
    typeBase: `${settings.publicUrl}/errors`,
  });

  const routes = app
    .get(
      '/ping',
      operation({
        id: 'ping',
        summary: 'Answer at once',
        tags: ['Service'],
        responses: { 200: { description: 'The service answers', schema: v.object({ pong: v.literal(true) }) } },
        security: 'none',
      }),
      (c) => c.json({ pong: true as const }),
    )
    .route('/', probeRoutes(health))
    .route('/auth', authRoutes(auth, { allowedOrigins: settings.corsOrigins }))
    .route('/projects', projectRoutes(projects, auth));
  if (settings.acceptance) app.route('/_acceptance', controlRoutes(clock));
  app.route('/', openapiRoutes(app, { info: { title: 'Projects', version: '0.1.0', description: 'A small product that shows svc at work.' } }));
  return routes;
}

/** What a typed client (`hc<AppType>(url)`) is made from. */
export type AppType = ReturnType<typeof createApp>;
