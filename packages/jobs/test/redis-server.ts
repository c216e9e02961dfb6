import { once } from 'node:events';
import { startRedisServer, type RedisServer } from '@svc/core/testing';
import { Redis } from 'ioredis';

export interface ConnectedServer extends RedisServer {
  /** A client that gives up at once when the server is away. */
  connect(): Promise<Redis>;
}

/** A Redis server of a test file's own, and clients of it. */
export async function startRedis(): Promise<ConnectedServer> {
  const server = await startRedisServer();
  const clients: Redis[] = [];
  return {
    ...server,
    async connect() {
      const client = new Redis(server.port, '127.0.0.1', {
        enableOfflineQueue: false,
        maxRetriesPerRequest: 0,
        retryStrategy: () => 20,
      });
      client.on('error', () => {});
      clients.push(client);
      if (client.status !== 'ready') await once(client, 'ready');
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.disconnect();
      await server[Symbol.asyncDispose]();
    },
  };
}
