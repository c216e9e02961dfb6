import type { Cluster, Redis } from 'ioredis';
import * as v from 'valibot';
import { expectTypeOf, test } from 'vitest';
import { createJobs, defineTask, memoryStore, type PayloadOf } from '../src/index.ts';
import type { RedisClient } from '../src/stores/redis.ts';

const send = defineTask({
  name: 'mail.send',
  payload: v.object({ to: v.string(), at: v.optional(v.pipe(v.string(), v.toDate())) }),
  run: (payload) => {
    expectTypeOf(payload).toEqualTypeOf<{ to: string; at?: Date | undefined }>();
  },
});
const count = defineTask({ name: 'count', payload: v.number(), run: (n) => n + 1 });
const jobs = createJobs({ store: memoryStore(), tasks: [send, count] });

test('a payload is that of its task', () => {
  expectTypeOf<PayloadOf<typeof send>>().toEqualTypeOf<{ to: string; at?: string | undefined }>();
  void (() => jobs.enqueue(send, { to: 'ada@example.com', at: '2026-01-01' }));
  void (() => jobs.enqueue('count', 1));
  // @ts-expect-error there is no such task
  void (() => jobs.enqueue('nothing', 1));
  // @ts-expect-error a number is not what it takes
  void (() => jobs.enqueue('mail.send', 1));
  // @ts-expect-error it is a number
  void (() => jobs.enqueueMany(count, [{ payload: '1' }]));
});

test('enqueue can be handed over as it is', () => {
  const enqueue: (task: 'count', payload: number) => Promise<{ id: string }> = jobs.enqueue;
  void enqueue;
});

test('clients of ioredis fit as they are', () => {
  expectTypeOf<Redis>().toExtend<RedisClient>();
  expectTypeOf<Cluster>().toExtend<RedisClient>();
});
