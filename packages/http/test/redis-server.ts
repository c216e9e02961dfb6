import { startRedisServer } from '@svc/core/testing';
import { Redis } from 'ioredis';

/** A Redis server of a test's own, and clients that go with it. */
export async function startRedis() {
  const server = await startRedisServer();
  const clients: Redis[] = [];
  return {
    connect() {
      const client = new Redis(server.port, '127.0.0.1', {
        maxRetriesPerRequest: 0,
        retryStrategy: () => 20,
        enableOfflineQueue: false,
        lazyConnect: true,
      });
      client.on('error', () => {});
      clients.push(client);
      return client;
    },
    kill: () => server.kill('SIGKILL'),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.disconnect();
      await server[Symbol.asyncDispose]();
    },
  };
}
