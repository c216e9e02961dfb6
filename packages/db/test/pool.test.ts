import { type AddressInfo, connect as openSocket, createServer, type Socket } from 'node:net';
import { isFailure, systemClock } from '@svc/core';
import { sql } from 'kysely';
import { describe, expect } from 'vitest';
import { connect, DatabaseUnavailable } from '../src/index.ts';
import { databaseTest } from '../src/testing.ts';

const test = databaseTest();
const unavailable = (error: unknown) => isFailure(error, DatabaseUnavailable);
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('the pool', () => {
  test('never opens more than poolSize connections', async ({ database }) => {
    const url = new URL(database.urls!.url);
    await using connection = await connect(url.href, { poolSize: 3 });
    let most = 0;
    await Promise.all(
      Array.from({ length: 50 }, () =>
        connection.db.transaction().execute(async (trx) => {
          const { rows } = await sql<{
            n: bigint;
          }>`select count(*) as n from pg_stat_activity where datname = current_database() and usename = current_user`.execute(
            trx,
          );
          most = Math.max(most, Number(rows[0]!.n));
        }),
      ),
    );
    // The file's own connection of the same role is open as well.
    expect(most).toBeLessThanOrEqual(4);
    expect(connection.pool()).toEqual({ max: 3, open: 3, idle: 3, busy: 0, waiting: 0 });
  });

  test('does not leave those waiting who queued while a connection could not be opened', async ({
    database,
  }) => {
    // Accepts one connection to PostgreSQL, then refuses all: what comes after the first is cut off.
    const { hostname, port } = new URL(database.urls!.url);
    const sockets = new Set<Socket>();
    let open = true;
    const proxy = createServer((client) => {
      sockets.add(client);
      client.on('error', () => sockets.delete(client));
      if (!open) return void client.destroy();
      const server = openSocket(Number(port), hostname).on('error', () => client.destroy());
      client.pipe(server).pipe(client);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const url = new URL(database.urls!.url);
    url.port = String((proxy.address() as AddressInfo).port);
    await using connection = await connect(url.href, {
      poolSize: 2,
      connectTimeoutMs: 500,
      acquireTimeoutMs: 8000,
    });
    open = false;
    for (const socket of sockets) socket.destroy();
    const startedMs = systemClock.elapsedMs();
    const errors = await Promise.all(Array.from({ length: 8 }, () => failureOf(connection.ping())));
    expect(errors.every(unavailable)).toBe(true);
    expect(systemClock.elapsedMs() - startedMs).toBeLessThan(4000);
    proxy.close();
  });

  test('gives up a connection that no answer comes through, and goes on with another', async ({
    database,
  }) => {
    // Cut without a word: bytes go nowhere, and nobody is told. What is opened later works.
    const { hostname, port } = new URL(database.urls!.url);
    const pipes: { client: Socket; server: Socket }[] = [];
    const proxy = createServer((client) => {
      const server = openSocket(Number(port), hostname).on('error', () => {});
      client.on('error', () => {}).on('close', () => server.destroy());
      client.pipe(server).pipe(client);
      pipes.push({ client, server });
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const url = new URL(database.urls!.url);
    url.port = String((proxy.address() as AddressInfo).port);
    await using connection = await connect(url.href, { poolSize: 2, statementTimeoutMs: 400 });
    // Longer than that altogether, and idle for longer: neither is a statement without an answer.
    const backend = async () =>
      (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(connection.db)).rows[0]
        ?.pid;
    const pid = await backend();
    for (let i = 0; i < 5; i += 1) await sql`select pg_sleep(0.15)`.execute(connection.db);
    await systemClock.sleep(600);
    expect(await backend()).toBe(pid);
    for (const { client, server } of pipes) {
      client.unpipe(server);
      server.unpipe(client);
    }
    const startedMs = systemClock.elapsedMs();
    const error = await failureOf(connection.ping());
    expect(unavailable(error)).toBe(true);
    expect((error as Error).cause).toMatchObject({ message: 'no answer within 400 ms' });
    expect(systemClock.elapsedMs() - startedMs).toBeLessThan(2000);
    await connection.ping();
    expect(connection.pool().open).toBe(1);
    proxy.close();
  });

  test('refuses those who wait too long, and serves the next', async ({ database }) => {
    await using connection = await connect(database.urls!.url, {
      poolSize: 1,
      acquireTimeoutMs: 50,
    });
    await connection.db.transaction().execute(async () => {
      const waiting = failureOf(connection.ping());
      await Promise.resolve();
      expect(unavailable(await waiting)).toBe(true);
    });
    await connection.ping();
    expect(connection.pool()).toMatchObject({ idle: 1, waiting: 0 });
  });

  test('a backend that dies costs the one statement, also for those who wait', async ({
    database,
    db,
  }) => {
    await using connection = await connect(database.urls!.url, { poolSize: 1 });
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(
      connection.db,
    );
    const running = failureOf(sql`select pg_sleep(30)`.execute(connection.db));
    const waiting = sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(connection.db);
    await sql`select pg_terminate_backend(${rows[0]!.pid})`.execute(db);
    expect(unavailable(await running)).toBe(true);
    expect((await waiting).rows[0]!.pid).not.toBe(rows[0]!.pid);
  });

  test('an idle connection that dies is not handed out', async ({ database, db }) => {
    await using connection = await connect(database.urls!.url, { poolSize: 2 });
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(
      connection.db,
    );
    await sql`select pg_terminate_backend(${rows[0]!.pid})`.execute(db);
    await expect.poll(() => connection.pool().open).toBe(0);
    await connection.ping();
  });

  test('a statement never runs on another connection after its transaction lost its own', async ({
    database,
    db,
  }) => {
    await using connection = await connect(database.urls!.url, { poolSize: 2 });
    const later: unknown[] = [];
    await failureOf(
      connection.db.transaction().execute(async (trx) => {
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
        await sql`select pg_terminate_backend(${rows[0]!.pid})`.execute(db);
        for (let i = 0; i < 3; i += 1) later.push(await failureOf(sql`select 1`.execute(trx)));
      }),
    );
    expect(later.map(unavailable)).toEqual([true, true, true]);
  });

  test('says at once when nobody listens, and in time when nobody answers', async () => {
    expect(unavailable(await failureOf(connect('postgres://a:b@127.0.0.1:1/x')))).toBe(true);
    const mute = createServer((socket) => void socket.on('error', () => {}));
    const rude = createServer((socket) => socket.end());
    for (const server of [mute, rude]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as { port: number };
      expect(
        unavailable(
          await failureOf(connect(`postgres://a:b@127.0.0.1:${port}/x`, { connectTimeoutMs: 200 })),
        ),
      ).toBe(true);
      server.close();
    }
  });

  test('waits for running statements when it is closed, and refuses later ones', async ({
    database,
  }) => {
    const connection = await connect(database.urls!.url, { poolSize: 1 });
    const running = sql`select pg_sleep(0.2)`.execute(connection.db);
    const waiting = failureOf(connection.ping());
    await new Promise((resolve) => setImmediate(resolve));
    await connection.close();
    await running;
    await expect(waiting).resolves.toBeInstanceOf(Error);
    await expect(connection.ping()).rejects.toThrow('closed');
    expect(connection.pool()).toEqual({ max: 1, open: 0, idle: 0, busy: 0, waiting: 0 });
  });

  test('a time of nothing for an answer is a TypeError', async () => {
    const wrong = connect('pglite://memory', { statementTimeoutMs: 0 });
    await expect(wrong).rejects.toThrow(TypeError);
  });

  test('a wrong URL is a TypeError that does not repeat it', async () => {
    for (const url of [
      'mysql://u:secret@h/d',
      'pglite:',
      'pglite://secret',
      'postgres://u:secret@:x:y/',
      '',
    ]) {
      const error = (await failureOf(connect(url))) as Error;
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).not.toContain('secret');
    }
  });
});
