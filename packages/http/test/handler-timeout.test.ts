import { isFailure } from '@svc/core';
import { recordingLogger, testClock } from '@svc/core/testing';
import { Hono } from 'hono';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { handlerTimeout, type SignalEnv } from '../src/hono/handler-timeout.ts';
import { HandlerTimeout } from '../src/limit-failures.ts';

function service() {
  const clock = testClock();
  const logger = recordingLogger();
  const app = new Hono<SignalEnv>();
  app.onError((error, c) =>
    c.json({ code: isFailure(error) ? error.code : 'internal' }, isFailure(error) ? 504 : 500),
  );
  app.use(handlerTimeout({ ms: 1000, clock, logger }));
  return { app, clock, logger };
}

describe('the handler time limit', () => {
  it('leaves alone a handler that is in time, and leaves no timer behind', async () => {
    const { app, clock, logger } = service();
    app.get('/', (c) => {
      expectTypeOf(c.get('signal')).toEqualTypeOf<AbortSignal>();
      return c.text('done');
    });
    expect(await (await app.request('/')).text()).toBe('done');
    await clock.advance('2s');
    expect(clock.sleeping).toBe(0);
    expect(logger.lines).toEqual([]);
  });

  it('answers 504, aborts the signal with the failure, and discards the late answer', async () => {
    const { app, clock, logger } = service();
    let signal: AbortSignal | undefined;
    app.get('/', async (c) => {
      signal = c.get('signal');
      await clock.sleep(3000);
      return c.text('late');
    });
    const answer = app.request('/');
    await clock.advance('1s');
    expect((await answer).status).toBe(504);
    expect(await (await answer).json()).toEqual({ code: 'http.handler_timeout' });
    expect(isFailure(signal?.reason, HandlerTimeout)).toBe(true);
    await clock.advance('2s');
    expect(logger.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'handler ended after its time limit'],
    ]);
  });

  it('logs what a handler throws when it is late, but not that it obeyed its signal', async () => {
    const { app, clock, logger } = service();
    app.get('/throws', async () => {
      await clock.sleep(2000);
      throw new Error('too late to tell anybody');
    });
    app.get('/obeys', async (c) => {
      await clock.sleep(2000, c.get('signal'));
      return c.text('never');
    });
    const answers = [app.request('/throws'), app.request('/obeys')];
    await clock.advance('2s');
    for (const answer of answers) expect((await answer).status).toBe(504);
    const errors = logger.lines.filter((line) => line.level === 'error');
    expect(errors.map((line) => String(line.fields['err']))).toEqual([
      'Error: too late to tell anybody',
    ]);
  });

  it('aborts the signal when the client leaves', async () => {
    const { app, clock } = service();
    const client = new AbortController();
    let signal: AbortSignal | undefined;
    app.get('/', async (c) => {
      signal = c.get('signal');
      await clock.sleep(500);
      return c.text('done');
    });
    const answer = app.request('/', { signal: client.signal });
    await clock.advance('100ms');
    expect(signal?.aborted).toBe(false);
    client.abort();
    expect(signal?.aborted).toBe(true);
    await clock.advance('1s');
    await answer;
  });
});
