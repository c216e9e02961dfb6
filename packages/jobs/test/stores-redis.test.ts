import { systemClock } from '@svc/core';
import { noRedisServer } from '@svc/core/testing';
import { afterAll, beforeAll, describe } from 'vitest';
import { redisStore } from '../src/stores/redis.ts';
import { describeJobStore } from '../src/testing.ts';
import { type ConnectedServer, startRedis } from './redis-server.ts';

// skipped because there is no redis-server on the PATH; the name of the block says so
describe.skipIf(noRedisServer !== undefined)(
  `redis${noRedisServer === undefined ? '' : ` (${noRedisServer})`}`,
  () => {
    let server: ConnectedServer;
    beforeAll(async () => {
      server = await startRedis();
    });
    afterAll(() => server[Symbol.asyncDispose]());
    describeJobStore('redis', async () => ({
      stores: [redisStore(await server.connect()), redisStore(await server.connect())],
      wait: (ms) => systemClock.sleep(ms),
    }));
  },
);
