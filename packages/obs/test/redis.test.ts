import { once } from 'node:events';
import { noRedisServer, startRedisServer } from '@svc/core/testing';
import { createObs } from '@svc/obs';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { samplesOf } from './prometheus.ts';

// skipped because redis-server is not installed; CI installs it
test.skipIf(noRedisServer !== undefined)(
  `commands to Redis are timed by name, faults counted, and the connection told (${noRedisServer ?? 'a server of its own'})`,
  async () => {
    await using server = await startRedisServer();
    const client = new Redis(server.port, { retryStrategy: () => null });
    client.on('error', () => undefined);
    const obs = createObs();
    obs.start();
    obs.watchRedis(client);
    await client.set('key', 'a secret value');
    await expect(client.incr('key')).rejects.toThrow();
    expect(await samplesOf(obs.metrics, 'redis_command_duration_seconds_count')).toMatchObject({
      'command="set"': 1,
      'command="incr"': 1,
    });
    expect(await samplesOf(obs.metrics, 'redis_command_errors_total')).toMatchObject({
      'command="incr"': 1,
    });
    expect(await samplesOf(obs.metrics, 'redis_connected')).toEqual({ 'client="redis"': 1 });
    client.disconnect();
    await once(client, 'end');
    expect(await samplesOf(obs.metrics, 'redis_connected')).toEqual({ 'client="redis"': 0 });
    obs.stop();
  },
);
