import { type HttpEnv, probeRoutes, stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { runProcess } from './run-process.ts';

// The process for background work: probed and stopped like the web process, open to nobody else.
await runProcess('worker', ({ logger, clock, health }) => {
  const app = new Hono<HttpEnv>();
  stack(app, { logger, clock });
  return app.route('/', probeRoutes(health));
});
