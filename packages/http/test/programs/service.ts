// A small service under the limits, on the runtime that runs it; `{"port":…}` on stdout once it listens.
import { isFailure, silentLogger, systemClock } from '@svc/core';
import { Hono } from 'hono';
import { createHealth } from '../../src/health.ts';
import { bodyLimit } from '../../src/hono/body-limit.ts';
import { handlerTimeout, type SignalEnv } from '../../src/hono/handler-timeout.ts';
import { probeRoutes } from '../../src/hono/probe-routes.ts';
import { remoteAddress } from '../../src/hono/remote-address.ts';
import { onSignals } from '../../src/shutdown.ts';

const { serve } =
  'Bun' in globalThis ? await import('../../src/bun.ts') : await import('../../src/node.ts');
const say = (event: object) => void process.stdout.write(`${JSON.stringify(event)}\n`);
const clock = systemClock;
const statuses: Record<string, 400 | 408 | 413 | 504> = {
  'http.body_too_large': 413,
  'http.body_timeout': 408,
  'http.body_incomplete': 400,
  'http.handler_timeout': 504,
};

const health = createHealth({ checks: [] });
const app = new Hono<SignalEnv>();
app.onError((error, c) => {
  if (!isFailure(error)) say({ unexpected: String(error) });
  return isFailure(error)
    ? c.json({ code: error.code }, statuses[error.code] ?? 500)
    : c.json({ code: 'internal' }, 500);
});
app.route('/', probeRoutes(health));
app.use(bodyLimit({ maxBytes: 1024 * 1024, readTimeoutMs: 1500, idleTimeoutMs: 700 }));
app.use(
  '/slow',
  handlerTimeout({ ms: 300, logger: { ...silentLogger, warn: (_, message) => say({ message }) } }),
);
app.use('/watched', handlerTimeout({ ms: 20_000 }));
app.post('/size', async (c) => c.json({ bytes: (await c.req.text()).length }));
// Like a validator that takes any error for malformed JSON.
app.post('/swallow', async (c) => {
  try {
    return c.json({ bytes: (await c.req.text()).length });
  } catch {
    return c.json({ code: 'malformed' }, 400);
  }
});
app.post('/unread', (c) => c.json({ code: 'unread' }, 401));
app.get('/address', (c) => c.json({ address: remoteAddress(c) }));
app.get('/slow', async (c) => {
  await clock
    .sleep(10_000, c.get('signal'))
    .finally(() => say({ aborted: c.get('signal').aborted }));
  return c.text('never');
});
app.get('/watched', async (c) => {
  say({ watching: true });
  await clock.sleep(10_000, c.get('signal')).catch(() => say({ left: true }));
  return c.text('never');
});
app.get('/wait', async (c) => {
  say({ waiting: true });
  await clock.sleep(Number(c.req.query('ms')));
  return c.text('waited');
});
app.get('/throw-outside', () => {
  throw new Error('outside');
});

const server = await serve({
  fetch: (request, env) => {
    if (request.url.endsWith('/outside')) throw new Error('not caught by any app');
    return app.fetch(request, env);
  },
  port: 0,
  hostname: '127.0.0.1',
  headersTimeoutMs: 2000,
  logger: silentLogger,
  clock,
});
health.markStarted();
onSignals({
  opened: [
    { name: 'first', stop: () => say({ closed: 'first' }) },
    { name: 'second', stop: () => say({ closed: 'second' }) },
    ...(process.argv.includes('--hang')
      ? [{ name: 'hung', stop: () => new Promise(() => {}) }]
      : []),
    { name: 'http', stop: server.stop },
  ],
  health,
  deadlineMs: Number(process.argv[2] ?? 5000),
  logger: { ...silentLogger, info: (_, message) => say({ message }) },
});
say({ port: server.port });
