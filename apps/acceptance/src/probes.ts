import { type HttpEnv, probeRoutes, stack } from '@svc/http/hono';
import { Hono } from 'hono';
import type { Services } from './services.ts';

/** What a process that serves nobody answers. */
export function createProbes({ logger, clock, health }: Services) {
  const app = new Hono<HttpEnv>();
  stack(app, { logger, clock });
  return app.route('/', probeRoutes(health));
}
