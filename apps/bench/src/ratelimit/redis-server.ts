import { startRedisServer } from '@svc/core/testing';
import { Redis } from 'ioredis';

export interface ConnectedServer extends AsyncDisposable {
  /** A client that has connected; the same options for everybody who is compared. */
  connect(): Promise<Redis>;
}

/** A Redis server of the benchmark's own (`redis-server` on the PATH). */
export async function startRedis(): Promise<ConnectedServer> {
  const server = await startRedisServer();
  const clients: Redis[] = [];
  return {
    async connect() {
      const client = new Redis(server.port, '127.0.0.1', { retryStrategy: () => 50 });
      client.on('error', () => {});
      clients.push(client);
      await client.ping();
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.disconnect();
      await server[Symbol.asyncDispose]();
    },
  };
}
