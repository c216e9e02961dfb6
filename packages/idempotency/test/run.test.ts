import { recordEvents, recordingLogger, testClock } from '@svc/core/testing';
import { describe, expect, test } from 'vitest';
import {
  createIdempotency,
  type ExecutedAnswer,
  executed,
  type IdempotencyOptions,
  type IdempotencyStore,
  KeyInvalid,
  KeyReused,
  KeyReusedUnprocessable,
  leaseLost,
  memoryStore,
  NotReplayable,
  notStored,
  refused,
  replayed,
  StillRunning,
  StoreUnavailable,
} from '../src/index.ts';

const scope = { caller: 'ada', method: 'POST', route: '/projects' };
const request = { scope, key: 'k', fingerprint: 'f' };
const answer = (status = 201, body = 'body'): ExecutedAnswer => ({
  status,
  headers: [['location', '/projects/1']],
  body: new TextEncoder().encode(body),
});

function open(
  options: Partial<IdempotencyOptions> = {},
  wrap: (store: IdempotencyStore) => Partial<IdempotencyStore> = () => ({}),
) {
  const clock = testClock();
  const logger = recordingLogger();
  const inner = memoryStore({ clock });
  const store = { ...inner, ...wrap(inner) };
  const idempotency = createIdempotency({ store, clock, logger, ...options });
  let runs = 0;
  /** An execution that ends when it is told. */
  const held = () => {
    let end: (answer: ExecutedAnswer) => void = () => {};
    let fail: (error: Error) => void = () => {};
    const ended = new Promise<ExecutedAnswer>((resolve, reject) => {
      end = resolve;
      fail = reject;
    });
    return { execute: () => ((runs += 1), ended), end, fail };
  };
  const execute = async () => ((runs += 1), answer());
  return { clock, logger, idempotency, held, execute, store, runs: () => runs };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const away = async () => {
  throw new StoreUnavailable({ retryAfterSeconds: 1 });
};

describe('a repeat', () => {
  test('gets the answer of the first, and nothing is executed', async () => {
    const { idempotency, execute, runs } = open();
    using replays = recordEvents(replayed);
    using executions = recordEvents(executed);
    const first = await idempotency.run(request, execute);
    const second = await idempotency.run(request, execute);
    expect(first).toEqual({ answer: answer(), replayed: false });
    expect(second).toEqual({ answer: answer(), replayed: true });
    expect(runs()).toBe(1);
    expect(executions.events).toMatchObject([
      { instance: 'idempotency', payload: { status: 201, kept: true } },
    ]);
    expect(replays.events).toMatchObject([{ payload: { status: 201 } }]);
  });

  test('waits for the first to end, 64 of them at once', async () => {
    const { clock, idempotency, held, runs } = open();
    const { execute, end } = held();
    const all = Promise.all(Array.from({ length: 64 }, () => idempotency.run(request, execute)));
    await clock.advance('3s');
    end(answer());
    await clock.advance('1s');
    const results = await all;
    expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(results.every((each) => Buffer.from(each.answer.body).toString() === 'body')).toBe(true);
    expect(runs()).toBe(1);
  });

  test('waits no longer than it may, and is told when to come again', async () => {
    const { clock, idempotency, held } = open({ wait: '2s' });
    const { execute, end } = held();
    const first = idempotency.run(request, execute);
    await settled();
    const second = idempotency.run(request, execute).catch((error: unknown) => error);
    await clock.advance('3s');
    const failure = await second;
    expect(failure).toBeInstanceOf(StillRunning);
    expect((failure as StillRunning).details.retryAfterSeconds).toBe(28);
    end(answer());
    await first;
  });

  test('is refused at once where it is not to wait, and does not wait on when the client leaves', async () => {
    const { idempotency, held } = open({ whileRunning: 'refuse' });
    const { execute, end } = held();
    const first = idempotency.run(request, execute);
    await settled();
    await expect(idempotency.run(request, execute)).rejects.toBeInstanceOf(StillRunning);
    end(answer());
    await first;

    const waiting = open();
    void waiting.idempotency.run(request, waiting.held().execute);
    await settled();
    const client = new AbortController();
    const options = { signal: client.signal };
    const second = waiting.idempotency.run(request, waiting.execute, options);
    client.abort(new Error('left'));
    await expect(second).rejects.toThrow('left');
  });

  test('with another request is refused, also while the first runs, with the kind that is asked for', async () => {
    using refusals = recordEvents(refused);
    for (const [onMismatch, failure] of [
      ['conflict', KeyReused],
      ['unprocessable', KeyReusedUnprocessable],
    ] as const) {
      const { idempotency, held, execute } = open({ onMismatch });
      const { execute: hold, end } = held();
      const first = idempotency.run(request, hold);
      await settled();
      const other = { ...request, fingerprint: 'g' };
      await expect(idempotency.run(other, execute)).rejects.toBeInstanceOf(failure);
      end(answer());
      await first;
      await expect(idempotency.run(other, execute)).rejects.toBeInstanceOf(failure);
    }
    const [reused, unprocessable] = [KeyReused.code, KeyReusedUnprocessable.code];
    const codes = refusals.events.map(({ payload }) => payload.code);
    expect(codes).toEqual([reused, reused, unprocessable, unprocessable]);
  });

  test('of another caller, method, route or key is a request of its own', async () => {
    const { idempotency, execute, runs } = open();
    await idempotency.run(request, execute);
    for (const other of [
      { ...request, scope: { ...scope, caller: 'bob' } },
      { ...request, scope: { ...scope, method: 'PUT' } },
      { ...request, scope: { ...scope, route: '/projects/1' } },
      { ...request, key: 'l' },
    ])
      expect((await idempotency.run(other, execute)).replayed).toBe(false);
    expect(runs()).toBe(5);
  });

  test('after the time to live is a new request', async () => {
    const { clock, idempotency, execute, runs } = open({ ttl: '1h' });
    await idempotency.run(request, execute);
    await clock.advance('61m');
    expect(await idempotency.purge()).toBe(1);
    expect((await idempotency.run(request, execute)).replayed).toBe(false);
    expect(runs()).toBe(2);
  });
});

describe('what is kept', () => {
  const statuses = [200, 204, 303, 400, 404, 408, 409, 422, 429, 500, 503];
  test.each([
    ['success', [200, 204]],
    ['all_but_5xx', [200, 204, 303, 400, 404, 409, 422]],
  ] as const)('with %s is %j; the others free the key', async (keep, kept) => {
    const { idempotency } = open({ keep });
    const replays: number[] = [];
    for (const status of statuses) {
      const each = { ...request, key: `k${status}` };
      const execute = async () => answer(status);
      await idempotency.run(each, execute);
      if ((await idempotency.run(each, execute)).replayed) replays.push(status);
    }
    expect(replays).toEqual(kept);
    expect(statuses.filter((status) => idempotency.keeps(status))).toEqual(kept);
  });

  test('is nothing of what is withheld or too large: a repeat is refused and told why', async () => {
    const { idempotency } = open({ maxBodyBytes: 4 });
    const cases = {
      sensitive: { ...answer(), withhold: 'sensitive' },
      streamed: { ...answer(), withhold: 'streamed' },
      late: { ...answer(), withhold: 'late' },
      too_large: answer(201, '12345'),
    } as const;
    for (const [reason, given] of Object.entries(cases)) {
      const each = { ...request, key: reason };
      const first = await idempotency.run(each, async () => given);
      expect(first.answer.body).toEqual(given.body);
      const second = idempotency.run(each, async () => given);
      await expect(second).rejects.toBeInstanceOf(NotReplayable);
      await expect(second).rejects.toMatchObject({ details: { reason } });
    }
    await idempotency.run(request, async () => answer(201, '1234'));
    expect((await idempotency.run(request, async () => answer())).replayed).toBe(true);
  });

  test('of an execution that throws is nothing, and the next is executed at once', async () => {
    const { idempotency, execute, runs } = open();
    const bug = new Error('bug');
    await expect(
      idempotency.run(request, async () => {
        throw bug;
      }),
    ).rejects.toBe(bug);
    expect((await idempotency.run(request, execute)).replayed).toBe(false);
    expect(runs()).toBe(1);
  });
});

describe('a lease', () => {
  test('of an execution that lives is renewed, however slow it is', async () => {
    const { clock, idempotency, held, runs } = open({ lease: '30s', whileRunning: 'refuse' });
    const { execute, end } = held();
    const first = idempotency.run(request, execute);
    for (let minutes = 0; minutes < 4; minutes += 1) {
      await clock.advance('1m');
      await expect(idempotency.run(request, execute)).rejects.toBeInstanceOf(StillRunning);
    }
    end(answer());
    expect((await first).replayed).toBe(false);
    expect(runs()).toBe(1);
    expect(clock.sleeping).toBe(0);
  });

  test('is not renewed for ever', async () => {
    const { clock, idempotency, held, execute } = open();
    void idempotency.run(request, held().execute);
    await clock.advance('10m');
    expect((await idempotency.run(request, execute)).replayed).toBe(false);
  });

  test('that was lost: the late answer is thrown away, and a repeat gets the other', async () => {
    const { clock, idempotency, held, logger } = open({}, () => ({ renew: away }));
    using lost = recordEvents(leaseLost);
    const late = held();
    const first = idempotency.run(request, late.execute).catch((error: unknown) => error);
    await clock.advance('31s');
    const second = await idempotency.run(request, async () => answer(201, 'second'));
    expect(second.replayed).toBe(false);
    late.end(answer(201, 'first'));
    expect(await first).toBeInstanceOf(StillRunning);
    expect(lost.events).toHaveLength(1);
    expect(logger.lines.map(({ level }) => level)).toContain('warn');
    const third = await idempotency.run(request, async () => answer(201, 'third'));
    expect(Buffer.from(third.answer.body).toString()).toBe('second');
  });
});

describe('a store that is away', () => {
  test('before the execution: it is refused and nothing is executed', async () => {
    const { idempotency, execute, runs } = open({}, () => ({ claim: away }));
    await expect(idempotency.run(request, execute)).rejects.toBeInstanceOf(StoreUnavailable);
    expect(runs()).toBe(0);
  });

  test('for a moment after the execution: the answer is kept all the same', async () => {
    let tries = 0;
    const { clock, idempotency, execute, runs } = open({}, (inner) => ({
      finish: async (...finishing) => ((tries += 1) < 3 ? away() : inner.finish(...finishing)),
    }));
    const first = idempotency.run(request, execute);
    await clock.advance('1s');
    expect((await first).replayed).toBe(false);
    expect((await idempotency.run(request, execute)).replayed).toBe(true);
    expect(runs()).toBe(1);
  });

  test('for good after the execution: the client gets its answer, and the operator a line', async () => {
    const { clock, idempotency, execute, logger } = open({ whileRunning: 'refuse' }, () => ({
      finish: away,
    }));
    using lost = recordEvents(notStored);
    const first = idempotency.run(request, execute);
    await clock.advance('1s');
    expect((await first).answer.status).toBe(201);
    expect(logger.lines.map(({ level }) => level)).toEqual(['error']);
    expect(lost.events).toHaveLength(1);
    await expect(idempotency.run(request, execute)).rejects.toBeInstanceOf(StillRunning);
  });
});

test('what cannot be used is refused at once', async () => {
  const { store, idempotency, execute } = open();
  for (const options of [
    { lease: '31s' },
    { lease: '50ms' },
    { lease: '30s', ttl: '10s' },
    { maxBodyBytes: -1 },
  ] as const)
    expect(() => createIdempotency({ store, ...options })).toThrow(TypeError);
  const transact = async () => {
    throw new Error('not called');
  };
  await expect(idempotency.run(request, execute, { transact })).rejects.toThrow(TypeError);
  await expect(idempotency.run({ ...request, key: 'a b' }, execute)).rejects.toBeInstanceOf(
    KeyInvalid,
  );
});
