import { type HttpEnv, probeRoutes, stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { observed, quietRoutes, scraped } from './observed.ts';
import type { Services } from './services.ts';

/** What a process that serves nobody answers. */
export function createProbes({ settings, logger, clock, obs, health }: Services) {
  const app = new Hono<HttpEnv>().use(observed({ obs }));
  stack(app, { logger, clock, quietRoutes });
  return app.route('/', probeRoutes(health)).route('/', scraped({ obs, settings }));
}
