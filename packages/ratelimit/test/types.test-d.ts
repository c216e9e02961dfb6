import type { Cluster, Redis } from 'ioredis';
import { expectTypeOf, test } from 'vitest';
import { createRateLimit, type Decision, defineLimit, memoryStore } from '../src/index.ts';
import type { RedisClient } from '../src/stores/redis.ts';

test('clients of ioredis fit as they are', () => {
  expectTypeOf<Redis>().toExtend<RedisClient>();
  expectTypeOf<Cluster>().toExtend<RedisClient>();
});

test('the methods can be handed over as they are', () => {
  const { check } = createRateLimit({ store: memoryStore() });
  expectTypeOf(check).returns.resolves.toEqualTypeOf<Decision>();
  const limit = defineLimit({ name: 'l', algorithm: 'gcra', quota: 1, window: '1s' });
  expectTypeOf(check).toBeCallableWith([{ limit, key: ['a', 'b'], cost: 2 }]);
});
