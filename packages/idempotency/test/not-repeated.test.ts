import { describe, expect, test } from 'vitest';
import { codeOf, openApp } from './open-app.ts';

describe('what is not repeated', () => {
  test('an answer marked as secret: nothing of it is stored, and a repeat is told so', async () => {
    for (const path of ['/things/key', '/things/no-store', '/things/any?token']) {
      const { kept, send, runs } = openApp({
        middleware: { sensitive: (c) => c.req.query('token') !== undefined },
      });
      expect((await send(path)).status).toBeLessThan(300);
      const again = await send(path);
      expect(again.status).toBe(409);
      expect(await again.json()).toMatchObject({
        code: 'idempotency.not_replayable',
        reason: 'sensitive',
        detail: 'The answer held a secret, which is shown once and never stored.',
      });
      expect([runs(), kept]).toEqual([1, ['sensitive']]);
    }
    const lax = openApp({ middleware: { noStoreIsSensitive: false } });
    await lax.send('/things/no-store');
    expect((await lax.send('/things/no-store')).headers.get('Idempotency-Replayed')).toBe('true');
  });

  test('a stream and what is too large: the first passes whole, a repeat is told so', async () => {
    const { send, runs } = openApp({ idempotency: { maxBodyBytes: 2000 } });
    const events = await send('/things/events');
    expect(await events.text()).toContain('data: two');
    expect((await (await send('/things/events')).json()) as object).toMatchObject({
      reason: 'streamed',
    });
    const large = await send('/things/large');
    expect(await large.text()).toBe('x'.repeat(3000));
    expect((await (await send('/things/large')).json()) as object).toMatchObject({
      reason: 'too_large',
    });
    expect(runs()).toBe(2);
  });

  test('a body that comes slowly passes as it comes, and is not stored', async () => {
    const { app, clock, send } = openApp();
    app.post('/things/trickle', (c) => {
      let parts = 0;
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          if (parts > 0) await clock.sleep(1000);
          controller.enqueue(new TextEncoder().encode(`part ${(parts += 1)};`));
          if (parts === 3) controller.close();
        },
      });
      return c.body(body);
    });
    const first = send('/things/trickle');
    await clock.advance('300ms');
    const text = (await first).text();
    await clock.advance('5s');
    expect(await text).toBe('part 1;part 2;part 3;');
    expect(await (await send('/things/trickle')).json()).toMatchObject({ reason: 'streamed' });
  });

  test('errors, unless they are to be kept; faults of the service never', async () => {
    const { send, runs } = openApp();
    for (const path of ['/things/taken', '/things/bug'])
      for (let times = 0; times < 2; times += 1)
        expect((await send(path)).headers.has('Idempotency-Replayed')).toBe(false);
    expect(runs()).toBe(4);

    const keeping = openApp({ idempotency: { keep: 'all_but_5xx' } });
    const [first, second] = [
      await keeping.send('/things/taken'),
      await keeping.send('/things/taken'),
    ];
    expect([second.status, second.headers.get('Idempotency-Replayed')]).toEqual([409, 'true']);
    expect(second.headers.get('Content-Type')).toBe('application/problem+json');
    expect(await second.text()).toBe(await first.text());
    await keeping.send('/things/bug');
    expect((await keeping.send('/things/bug')).headers.has('Idempotency-Replayed')).toBe(false);
    expect(keeping.runs()).toBe(3);
    // Refused by the schema, which stands behind the middleware.
    const invalid = { body: '{}', headers: { 'Content-Type': 'application/json' }, key: 'invalid' };
    for (const replayed of [null, 'true'])
      expect(
        (await keeping.send('/things/json', invalid)).headers.get('Idempotency-Replayed'),
      ).toBe(replayed);
  });

  test('what was executed after its time was over: a repeat does not execute it again', async () => {
    const { clock, send, runs } = openApp();
    const first = send('/things/slow');
    await clock.advance('31s');
    expect((await first).status).toBe(504);
    await clock.advance('15s');
    const again = await send('/things/slow');
    expect(again.status).toBe(409);
    expect(await again.json()).toMatchObject({ reason: 'late' });
    expect(runs()).toBe(1);
  });

  test('a request whose body is too large for a key', async () => {
    const { send, runs } = openApp({ idempotency: { maxBodyBytes: 10 } });
    const answer = await send('/things/bytes', { body: new Uint8Array(11) });
    expect([answer.status, await codeOf(answer)]).toEqual([413, 'idempotency.body_too_large']);
    const length = { 'Content-Length': '11' };
    expect(
      (await send('/things/bytes', { body: new Uint8Array(11), headers: length })).status,
    ).toBe(413);
    expect(runs()).toBe(0);
  });
});
