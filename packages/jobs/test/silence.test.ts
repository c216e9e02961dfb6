import { type AddressInfo, connect as openSocket, createServer, type Socket } from 'node:net';
import { systemClock } from '@svc/core';
import { recordEvents } from '@svc/core/testing';
import { connect } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { expect } from 'vitest';
import { createJobs, storeDown, storeUp } from '../src/index.ts';
import { jobsMigrations } from '../src/migrations.ts';
import { postgresStore } from '../src/stores/postgres.ts';
import { open, task, until } from './open-jobs.ts';

const test = databaseTest([jobsMigrations]);

/** A way to the database that can be cut without a word: bytes go nowhere, and nobody is told. */
async function openWay(url: string) {
  const { hostname, port } = new URL(url);
  const pipes = new Set<{ client: Socket; server: Socket }>();
  const proxy = createServer((client) => {
    const server = openSocket(Number(port), hostname).on('error', () => {});
    client.on('error', () => {}).on('close', () => server.destroy());
    client.pipe(server).pipe(client);
    pipes.add({ client, server });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const way = new URL(url);
  way.port = String((proxy.address() as AddressInfo).port);
  return {
    url: way.href,
    /** What is opened from now on works. */
    cut() {
      for (const { client, server } of pipes) {
        client.unpipe(server);
        server.unpipe(client);
      }
      pipes.clear();
    },
    [Symbol.asyncDispose]: async () => void proxy.close(),
  };
}

test('a worker whose connections are cut without a word goes on within its lease', async ({
  db,
  database,
}) => {
  await using way = await openWay(database.urls?.url ?? '');
  const leaseMs = 3000;
  await using connection = await connect(way.url, { poolSize: 4, statementTimeoutMs: 500 });
  const short = task({ run: () => systemClock.sleep(20) });
  const outside = createJobs({ store: postgresStore(db), tasks: [short] });
  const items = Array.from({ length: 200 }, (_, n) => ({ payload: { n } }));
  const doneCount = async () => (await outside.stats()).tasks[short.name]?.done ?? 0;
  using downs = recordEvents(storeDown);
  using ups = recordEvents(storeUp);
  await using queue = open(connection.db, [short], {
    concurrency: 4,
    prefetch: 0,
    lease: `${leaseMs}ms`,
  });
  await outside.enqueueMany(short, items);
  await until(async () => (await doneCount()) > 20);
  way.cut();
  const before = await doneCount();
  const cutAtMs = systemClock.elapsedMs();
  await until(async () => (await doneCount()) > before + 20);
  expect(systemClock.elapsedMs() - cutAtMs).toBeLessThan(leaseMs);
  await until(async () => (await doneCount()) === items.length);
  expect(downs.events.length).toBeGreaterThan(0);
  expect(ups.events).toHaveLength(downs.events.length);
  await queue.worker.stop();
}, 60_000);
