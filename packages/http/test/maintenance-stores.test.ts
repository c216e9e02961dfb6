import { noRedisServer as noRedis, recordingLogger } from '@svc/core/testing';
import { systemClock } from '@svc/core';
import { describe, expect, it } from 'vitest';
import { createMaintenance, memoryMaintenanceStore } from '../src/index.ts';
import { redisMaintenanceStore } from '../src/stores/redis.ts';
import { startRedis } from './redis-server.ts';

const openMemory = async () => {
  const store = memoryMaintenanceStore();
  return { connect: async () => store, [Symbol.asyncDispose]: async () => {} };
};
const openRedis = async () => {
  const server = await startRedis();
  const connect = async () => {
    const client = server.connect();
    await client.connect();
    return redisMaintenanceStore({ client });
  };
  return { connect, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
};

// What is missing stands in the title.
describe.each([
  { name: 'memory', open: openMemory, missing: undefined },
  {
    name: `redis${noRedis === undefined ? '' : ` (${noRedis})`}`,
    open: openRedis,
    missing: noRedis,
  },
])('the store in $name', ({ open, missing }) => {
  // skipped because there is no redis-server on the PATH, which noRedis says
  it.skipIf(missing !== undefined)(
    'loses none of fifty changes at once from two processes',
    async () => {
      await using opened = await open();
      const both = [await opened.connect(), await opened.connect()].map((store) =>
        createMaintenance({ store }),
      );
      const paths = Array.from({ length: 50 }, (_, i) => `/route-${i}`);
      await Promise.all(paths.map((path, i) => both[i % 2]?.set({ path })));
      const reader = createMaintenance({ store: await opened.connect() });
      await reader.start();
      expect(reader.get()).toHaveLength(50);
      await Promise.all(paths.map((path, i) => both[(i + 1) % 2]?.clear({ path })));
      await reader.stop();
      await reader.start();
      expect(reader.get()).toEqual([]);
      await reader.stop();
    },
  );
});

// skipped because there is no redis-server on the PATH, which noRedis says
it.skipIf(noRedis !== undefined)('what was known last holds when Redis dies', async () => {
  await using server = await startRedis();
  const client = server.connect();
  await client.connect();
  let away = () => {};
  const noticed = new Promise<void>((resolve) => (away = resolve));
  const logger = { ...recordingLogger(), warn: () => away() };
  const maintenance = createMaintenance({
    store: redisMaintenanceStore({ client }),
    refreshMs: 20,
    logger,
    clock: systemClock,
  });
  await maintenance.start();
  await maintenance.set('app');
  server.kill();
  await noticed;
  expect(maintenance.get()).toMatchObject([{ target: 'app' }]);
  await expect(maintenance.clear('app')).rejects.toThrow();
  await maintenance.stop();
});
