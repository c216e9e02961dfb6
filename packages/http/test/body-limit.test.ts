import { isFailure } from '@svc/core';
import { testClock } from '@svc/core/testing';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { bodyLimit } from '../src/hono/body-limit.ts';

function service() {
  const clock = testClock();
  const app = new Hono();
  app.onError((error, c) => c.json({ code: isFailure(error) ? error.code : 'internal' }, 400));
  app.use(bodyLimit({ maxBytes: 10, readTimeoutMs: 5000, idleTimeoutMs: 1000, clock }));
  app.post('/', async (c) => c.text(await c.req.text()));
  app.post('/form', async (c) => c.json(await c.req.parseBody()));
  app.post('/swallow', async (c) => c.text(await c.req.text().catch(() => 'swallowed')));
  return { app, clock };
}

/** A body that gives what `next` gives, counting how often it is asked. */
function body(next: (asked: number) => Promise<string | undefined> | string | undefined) {
  let asked = 0;
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const text = await next(asked++);
        if (text === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(text));
      },
      cancel: () => void (cancelled = true),
    },
    { highWaterMark: 0 },
  );
  return {
    init: { method: 'POST', body: stream, duplex: 'half' } as RequestInit,
    asked: () => asked,
    cancelled: () => cancelled,
  };
}

describe('the body limit', () => {
  it('lets through a body of exactly the limit, declared or not', async () => {
    const { app } = service();
    expect(await (await app.request('/', { method: 'POST', body: '0123456789' })).text()).toBe(
      '0123456789',
    );
    const streamed = body((asked) => (asked < 2 ? '01234' : undefined));
    expect(await (await app.request('/', streamed.init)).text()).toBe('0123401234');
  });

  it('leaves forms and requests without a body as they are', async () => {
    const { app } = service();
    const form = await app.request('/form', {
      method: 'POST',
      body: new URLSearchParams({ a: 'b' }),
    });
    expect(await form.json()).toEqual({ a: 'b' });
    expect((await app.request('/', { method: 'POST' })).status).toBe(200);
  });

  it('refuses a declared length before the handler runs', async () => {
    const { app } = service();
    const answer = await app.request('/swallow', {
      method: 'POST',
      body: 'x',
      headers: { 'content-length': '11' },
    });
    expect(await answer.json()).toEqual({ code: 'http.body_too_large' });
  });

  it('counts what is not declared, or declared too short', async () => {
    const { app } = service();
    for (const headers of [{}, { 'content-length': '3' }]) {
      const endless = body((asked) => (asked < 50 ? 'xxxxx' : undefined));
      const answer = await app.request('/', { ...endless.init, headers });
      expect(await answer.json()).toEqual({ code: 'http.body_too_large' });
    }
  });

  it('is the answer even when the handler takes the broken body for something else', async () => {
    const { app } = service();
    const large = body((asked) => (asked < 50 ? 'xxxxx' : undefined));
    expect(await (await app.request('/swallow', large.init)).json()).toEqual({
      code: 'http.body_too_large',
    });
  });

  it('stops waiting for a client that sends nothing', async () => {
    const { app, clock } = service();
    const silent = body(() => new Promise<undefined>(() => {}));
    const answer = app.request('/', silent.init);
    await clock.advance('1s');
    expect(await (await answer).json()).toEqual({ code: 'http.body_timeout' });
    // And does not listen to the rest for more than two seconds.
    await clock.advance('2s');
    expect(silent.cancelled()).toBe(true);
    expect(clock.sleeping).toBe(0);
  });

  it('stops waiting for a client that trickles, though it is never idle', async () => {
    const { app, clock } = service();
    const trickle = body(async () => {
      await clock.sleep(900);
      return 'x';
    });
    const answer = app.request('/', trickle.init);
    await clock.advance('5s');
    expect(trickle.asked()).toBeLessThan(8);
    expect(await (await answer).json()).toEqual({ code: 'http.body_timeout' });
  });

  it('does not count the time in which nobody reads', async () => {
    const { app, clock } = service();
    app.post('/late', async (c) => {
      await clock.sleep(60_000);
      return c.text(await c.req.text());
    });
    const answer = app.request('/late', body((asked) => (asked === 0 ? 'hello' : undefined)).init);
    await clock.advance('60s');
    expect(await (await answer).text()).toBe('hello');
  });

  it('says that a body ended early when the connection does', async () => {
    const { app } = service();
    const cut = body((asked) => (asked === 0 ? 'he' : Promise.reject(new Error('reset'))));
    expect(await (await app.request('/', cut.init)).json()).toEqual({
      code: 'http.body_incomplete',
    });
  });
});
