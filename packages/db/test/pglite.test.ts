import { mkdtempSync, rmSync, existsSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFailure } from '@svc/core';
import { sql } from 'kysely';
import { afterAll, describe, expect } from 'vitest';
import {
  afterCommit,
  connect,
  DatabaseLocked,
  DatabaseUnavailable,
  transact,
} from '../src/index.ts';
import { databaseTest } from '../src/testing.ts';

const test = databaseTest([], { engine: 'pglite' });
const base = mkdtempSync(join(tmpdir(), 'svc-pglite-test-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

describe('PGlite', () => {
  test('using db inside its own open transaction is a TypeError, not a deadlock', async ({
    db,
  }) => {
    const within = (use: (outer: typeof db) => Promise<unknown>) => transact(db, () => use(db));
    await expect(within((outer) => sql`select 1`.execute(outer))).rejects.toThrow(TypeError);
    await expect(within((outer) => transact(outer, async () => {}))).rejects.toThrow(
      'inside its own open transaction',
    );
    await expect(db.transaction().execute(() => sql`select 1`.execute(db))).rejects.toThrow(
      TypeError,
    );
    await sql`select 1`.execute(db);
  });

  test('db may be used beside a transaction, after it, and in its hooks', async ({ db }) => {
    let seen: unknown;
    const beside: Promise<unknown>[] = [];
    const running = transact(db, async (trx) => {
      await sql`select 1`.execute(trx);
      afterCommit(trx, async () => void (seen = (await sql`select 1 as one`.execute(db)).rows));
    });
    for (let i = 0; i < 5; i += 1) beside.push(sql`select 1`.execute(db));
    await Promise.all([running, ...beside]);
    expect(seen).toEqual([{ one: 1 }]);
    await sql`select 1`.execute(db);
  });

  test('who waits too long for the one connection is refused', async () => {
    await using connection = await connect('pglite://memory', { acquireTimeoutMs: 50 });
    let enter!: () => void;
    const entered = new Promise<void>((resolve) => (enter = resolve));
    let leave!: () => void;
    const left = new Promise<void>((resolve) => (leave = resolve));
    const running = transact(connection.db, async () => {
      enter();
      await left;
    });
    await entered;
    expect(connection.pool()).toMatchObject({ max: 1, busy: 1 });
    const error = await connection.ping().catch((e: unknown) => e);
    expect(isFailure(error, DatabaseUnavailable)).toBe(true);
    leave();
    await running;
    await connection.ping();
  });

  test('a directory opens once, keeps its rows, and opens again after close', async () => {
    const directory = join(base, 'one');
    const first = await connect(`pglite:${directory}`);
    const second = await connect(`pglite:${directory}`).catch((e: unknown) => e);
    expect(second).toBeInstanceOf(DatabaseLocked);
    expect((second as Error).message).toContain(String(process.pid));
    await sql`create table kept (id int)`.execute(first.db);
    await first.close();
    expect(existsSync(`${directory}.lock`)).toBe(false);
    await using again = await connect(`pglite:${directory}`, { role: 'svc_app' });
    expect(
      (
        await sql`select to_regclass('kept') is not null as kept, current_user::text as role`.execute(
          again.db,
        )
      ).rows,
    ).toEqual([{ kept: true, role: 'svc_app' }]);
  });

  test('a lock whose process is gone is taken over; one of another machine is not', async () => {
    const directory = join(base, 'two');
    const lock = (holder: object) =>
      writeFileSync(
        `${directory}.lock`,
        JSON.stringify({
          token: 't',
          startedAt: '1',
          pid: process.pid,
          host: hostname(),
          ...holder,
        }),
      );
    // Our pid, but another start: a process that is gone, whose number was given again.
    lock({});
    await (await connect(`pglite:${directory}`)).close();
    lock({ pid: 4_000_000 });
    await (await connect(`pglite:${directory}`)).close();
    lock({ host: 'elsewhere' });
    await expect(connect(`pglite:${directory}`)).rejects.toThrow('elsewhere');
  });
});
