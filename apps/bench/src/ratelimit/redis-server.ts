import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@svc/core';
import { Redis } from 'ioredis';

export interface RedisServer extends AsyncDisposable {
  /** A client that has connected; the same options for everybody who is compared. */
  connect(): Promise<Redis>;
}

/** A Redis server of the benchmark's own (`redis-server` on the PATH) that keeps nothing on disk. */
export async function startRedis(): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'svc-bench-redis-'));
  const port = await freePort();
  const child: ChildProcess = spawn(
    'redis-server',
    [
      '--port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      directory,
    ],
    { stdio: 'ignore' },
  );
  child.once('error', (error) => console.error(`redis-server: ${error.message}`));
  const clients: Redis[] = [];
  return {
    async connect() {
      const client = new Redis(port, '127.0.0.1', { retryStrategy: () => 50 });
      client.on('error', () => {});
      clients.push(client);
      const late = systemClock.sleep(5000).then(() => {
        if (client.status !== 'ready') throw new Error('redis-server does not answer');
      });
      await Promise.race([client.ping(), late]);
      late.catch(() => {});
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.disconnect();
      if (child.exitCode === null && child.signalCode === null && child.kill('SIGTERM'))
        await once(child, 'exit');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
