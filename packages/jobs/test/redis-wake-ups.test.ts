import { parseSettings, systemClock } from '@svc/core';
import { noRedisServer } from '@svc/core/testing';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import {
  completed,
  createJobs,
  createWorker,
  jobsFromSettings,
  jobsSettings,
} from '../src/index.ts';
import { redisStore } from '../src/stores/redis.ts';
import { nextEvent, task, until } from './open-jobs.ts';
import { startRedis } from './redis-server.ts';

const poll = { first: '10s', longest: '10s' } as const;

// skipped because there is no redis-server on the PATH; the name of the block says so
describe.skipIf(noRedisServer !== undefined)(
  `a worker over Redis${noRedisServer === undefined ? '' : ` (${noRedisServer})`}`,
  () => {
    test('that looks only every ten seconds is woken by who has only the server in common with it', async () => {
      await using server = await startRedis();
      const tasks = [task()] as const;
      const open = async () =>
        jobsFromSettings(parseSettings(v.object(jobsSettings), { JOBS_DRIVER: 'redis' }), {
          stores: { redis: () => redisStore(client) },
          tasks,
        });
      let client = await server.connect();
      await using worker = createWorker({ jobs: await open(), poll });
      client = await server.connect();
      const other = await open();
      worker.start();
      await worker.drained();
      // Heard, not found by its first look.
      await systemClock.sleep(100);
      const seen = nextEvent(completed, (event) => event.task === tasks[0].name);
      const beganAtMs = systemClock.elapsedMs();
      await other.enqueue(tasks[0], { n: 1 });
      await seen;
      expect(systemClock.elapsedMs() - beganAtMs).toBeLessThan(2000);
    });

    test('goes on, and is woken again, when the server was away', async () => {
      await using server = await startRedis();
      const greet = task();
      const jobs = createJobs({ store: redisStore(await server.connect()), tasks: [greet] });
      const other = createJobs({ store: redisStore(await server.connect()), tasks: [greet] });
      await using worker = createWorker({ jobs, poll });
      worker.start();
      await worker.drained();
      // It listens by now.
      await systemClock.sleep(200);
      server.kill('SIGKILL');
      await until(() =>
        other.stats().then(
          () => false,
          () => true,
        ),
      );
      await server.start();
      await until(() =>
        other.stats().then(
          () => true,
          () => false,
        ),
      );
      // The next look is far: it hears of the job by its new connection alone.
      await systemClock.sleep(1500);
      const seen = nextEvent(completed, (event) => event.task === greet.name);
      const beganAtMs = systemClock.elapsedMs();
      await other.enqueue(greet, { n: 1 });
      await seen;
      expect(systemClock.elapsedMs() - beganAtMs).toBeLessThan(2000);
    });
  },
);
