import { systemClock } from '@svc/core';
import { sql } from 'kysely';
import { describe, expect, test as plain } from 'vitest';
import { connect, listen, transact } from '../src/index.ts';
import { databaseTest, startPostgres } from '../src/testing.ts';

const until = async (isSo: () => boolean) => {
  const began = systemClock.elapsedMs();
  while (!isSo()) {
    if (systemClock.elapsedMs() - began > 10_000) throw new Error('it did not come to be');
    await systemClock.sleep(5);
  }
};

for (const engine of ['postgres', 'pglite'] as const) {
  const test = databaseTest([], { engine });
  describe(engine, () => {
    test('a listener hears what was committed on its channel, until it is closed', async ({
      db,
    }) => {
      let heard = 0;
      let lost = 0;
      const handlers = { onNotify: () => void (heard += 1), onLost: () => void (lost += 1) };
      const listener = await listen(db, 'svc_bell', handlers);
      await sql`select pg_notify('svc_bell', '')`.execute(db);
      await until(() => heard === 1);
      await sql`select pg_notify('svc_other', '')`.execute(db);
      await transact(db, async (trx) => {
        await sql`select pg_notify('svc_bell', '')`.execute(trx);
        expect(heard).toBe(1);
      });
      await until(() => heard === 2);
      await listener[Symbol.asyncDispose]();
      await sql`select pg_notify('svc_bell', '')`.execute(db);
      await sql`select 1`.execute(db);
      expect([heard, lost]).toEqual([2, 0]);
    });

    test('a transaction cannot listen, and a channel is a plain name', async ({ db }) => {
      const handlers = { onNotify: () => {}, onLost: () => {} };
      const within = transact(db, (trx) => listen(trx, 'svc_bell', handlers));
      await expect(within).rejects.toThrow(TypeError);
      await expect(listen(db, 'a"; drop', handlers)).rejects.toThrow(TypeError);
    });
  });
}

plain(
  'a listener is told once when PostgreSQL is gone, and can listen again when it is back',
  async () => {
    await using server = await startPostgres();
    await using connection = await connect(server.url);
    let heard = 0;
    let lost = 0;
    const handlers = { onNotify: () => void (heard += 1), onLost: () => void (lost += 1) };
    await listen(connection.db, 'svc_bell', handlers);
    await server.restart('immediate');
    await until(() => lost === 1);
    await using _again = await listen(connection.db, 'svc_bell', handlers);
    await sql`select pg_notify('svc_bell', '')`.execute(connection.db);
    await until(() => heard === 1);
    expect(lost).toBe(1);
  },
);
