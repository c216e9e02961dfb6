import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { systemClock } from '@svc/core';
import { Redis } from 'ioredis';

const program = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((place) => join(place, 'redis-server'))
  .find(existsSync);

/** Why nothing can be shown on Redis here; `undefined` where it can. */
export const noRedis = program === undefined ? 'there is no redis-server on the PATH' : undefined;

/** A Redis server of a test file's own. */
export interface RedisServer extends AsyncDisposable {
  connect(): Redis;
  kill(signal: NodeJS.Signals): void;
  start(): Promise<void>;
}

export async function startRedis(): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'svc-redis-'));
  const port = await freePort();
  const clients: Redis[] = [];
  let child: ChildProcess | undefined;
  const connect = () => {
    const client = new Redis(port, '127.0.0.1', {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => 20,
      lazyConnect: false,
    });
    client.on('error', () => {});
    clients.push(client);
    return client;
  };
  const start = async () => {
    child = spawn(
      program as string,
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
    for (let tries = 0; tries < 200; tries += 1) {
      const client = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null });
      client.on('error', () => {});
      try {
        await client.connect();
        await client.ping();
        return;
      } catch {
        await systemClock.sleep(20);
      } finally {
        client.disconnect();
      }
    }
    throw new Error('redis-server did not start');
  };
  await start();
  return {
    connect,
    kill: (signal) => void child?.kill(signal),
    start,
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.disconnect();
      if (child?.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A client that has connected. */
export async function ready(client: Redis): Promise<Redis> {
  if (client.status !== 'ready') await once(client, 'ready');
  return client;
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
