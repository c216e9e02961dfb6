import { recordingLogger } from '@svc/core/testing';
import { type HttpEnv, problems, requestContext, undocumentedRoutes } from '@svc/http/hono';
import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { expect, test } from 'vitest';
import { createJobs, createWorker, memoryStore, NonRetryable } from '../src/index.ts';
import { jobsRoutes } from '../src/hono.ts';
import { task } from './open-jobs.ts';

const guardedBy = (...tokens: string[]) =>
  createMiddleware(async (c, next) =>
    tokens.includes(c.req.header('Authorization') ?? '') ? next() : c.json({}, 403),
  );
const some = '019a0000-0000-7000-8000-000000000000';

function openApp() {
  const fragile = task({
    run: () => {
      throw new NonRetryable('broken');
    },
  });
  const jobs = createJobs({ store: memoryStore(), tasks: [fragile] });
  const app = new Hono<HttpEnv>();
  app.use(requestContext({ logger: recordingLogger(), clientAddress: () => '192.0.2.1' }));
  problems(app);
  const guards = { guard: guardedBy('reader', 'writer'), writeGuard: guardedBy('writer') };
  app.route('/jobs', jobsRoutes(jobs, guards));
  const ask = (route: string, authorization?: string, body?: object) => {
    const [method, path] = route.split(' ') as [string, string];
    return app.request(path, {
      method,
      headers: {
        ...(authorization === undefined ? {} : { Authorization: authorization }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  };
  return { app, ask, jobs, fragile };
}

test.for([
  ['GET /jobs/status', 'reader', 200],
  ['GET /jobs', 'reader', 200],
  [`GET /jobs/${some}`, 'reader', 404],
  ['POST /jobs/pause', 'writer', 204],
  ['POST /jobs/resume', 'writer', 204],
  ['POST /jobs/dead/replay', 'writer', 200],
  ['POST /jobs/dead/purge', 'writer', 200],
  [`POST /jobs/${some}/retry`, 'writer', 404],
  [`POST /jobs/${some}/cancel`, 'writer', 404],
] as const)('%s is for the %s', async ([route, who, status]) => {
  const { ask, app } = openApp();
  const body = /pause|resume|dead/.test(route) ? {} : undefined;
  expect((await ask(route, undefined, body)).status).toBe(403);
  if (who === 'writer') expect((await ask(route, 'reader', body)).status).toBe(403);
  const answer = await ask(route, who, body);
  expect(answer.status).toBe(status);
  expect(answer.headers.get('Cache-Control')).toBe('no-store');
  expect(undocumentedRoutes(app)).toEqual([]);
});

test('an operator sees a dead letter, its errors but not its payload, and replays it', async () => {
  const { ask, jobs, fragile } = openApp();
  const { id } = await jobs.enqueue(fragile, { n: 4711 });
  const worker = createWorker({ jobs });
  worker.start();
  await worker.drained();
  await worker.stop();
  const page = await (await ask('GET /jobs?state=dead', 'reader')).text();
  expect(JSON.parse(page)).toMatchObject({
    items: [{ id, state: 'dead', errors: [{ message: 'broken' }] }],
    nextCursor: null,
  });
  expect(page).not.toContain('4711');
  const replayed = await ask('POST /jobs/dead/replay', 'writer', { task: fragile.name });
  expect(await replayed.json()).toEqual({ count: 1 });
  expect(await (await ask(`GET /jobs/${id}`, 'reader')).json()).toMatchObject({ state: 'ready' });
  expect((await ask(`POST /jobs/${id}/retry`, 'writer')).status).toBe(409);
  const cancelled = await ask(`POST /jobs/${id}/cancel`, 'writer');
  expect(await cancelled.json()).toEqual({ state: 'cancelled' });
});
