import { recordingLogger } from '@svc/core/testing';
import { sql } from 'kysely';
import { describe, expect } from 'vitest';
import {
  afterCommit,
  afterEnd,
  CommitRolledBack,
  connect,
  constraintOf,
  DatabaseUnavailable,
  type Migrations,
  transact,
} from '../src/index.ts';
import { databaseTest, describeDatabases } from '../src/testing.ts';

const counters: Migrations = {
  schema: 'counting',
  steps: [
    {
      name: '001',
      up: [
        `create table counting.counters (id int primary key, value int not null default 0 check (value >= 0))`,
        `create table counting.marks (counter int not null references counting.counters (id))`,
        `insert into counting.counters (id) values (1), (2), (3)`,
      ],
      down: [],
    },
  ],
};
const increment = (id: number) =>
  sql`update counting.counters set value = value + 1 where id = ${id}`;

describeDatabases('a transaction', [counters], (test) => {
  const valueOf = async (db: Parameters<typeof transact>[0], id: number) =>
    (await sql<{ value: number }>`select value from counting.counters where id = ${id}`.execute(db))
      .rows[0]?.value;

  test('commits what it did, and runs its hooks after that, in order', async ({ db }) => {
    const seen: unknown[] = [];
    const result = await transact(db, async (trx) => {
      afterCommit(trx, async () => void seen.push(await valueOf(db, 1)));
      afterCommit(trx.withSchema('counting'), () => void seen.push('second'));
      await increment(1).execute(trx);
      expect(seen).toEqual([]);
      return 'result';
    });
    expect(result).toBe('result');
    expect(seen).toEqual([1, 'second']);
  });

  test('runs the hooks of its end after commit and after rollback, outside of itself', async ({
    db,
  }) => {
    const seen: string[] = [];
    const before = await valueOf(db, 1);
    await transact(db, async (trx) => {
      afterEnd(trx, () => void seen.push('end'));
      afterCommit(trx, () => void seen.push('commit'));
    });
    const broken = transact(db, async (trx) => {
      // A savepoint that is undone takes nothing of this with it.
      await transact(trx, async (inner) => {
        afterEnd(inner, async () => void seen.push(`end, value ${await valueOf(db, 1)}`));
        throw new Error('inner');
      }).catch(() => {});
      await increment(1).execute(trx);
      afterCommit(trx, () => void seen.push('never'));
      throw new Error('outer');
    });
    await expect(broken).rejects.toThrow('outer');
    expect(seen).toEqual(['commit', 'end', `end, value ${before}`]);
    expect(() => afterEnd(db, () => {})).toThrow(TypeError);
  });

  test('has the settings it is given until its end, and not one that begins within it', async ({
    db,
  }) => {
    const settingOf = async (on: Parameters<typeof transact>[0]) =>
      (
        await sql<{
          value: string | null;
        }>`select current_setting('app.colour', true) as value`.execute(on)
      ).rows[0]?.value || undefined;
    const value = `o'hara\\'; drop table counting.counters; --`;
    const settings = { 'app.colour': value };
    const seen = await transact(
      db,
      async (trx) => {
        afterCommit(trx, async () =>
          expect(await transact(db, (other) => settingOf(other))).toBeUndefined(),
        );
        return [await settingOf(trx), await transact(trx, (inner) => settingOf(inner))];
      },
      { settings },
    );
    expect(seen).toEqual([value, value]);
    expect(await settingOf(db)).toBeUndefined();
    expect(await transact(db, (trx) => settingOf(trx), { isolation: 'serializable' })).toBe(
      undefined,
    );
    await expect(
      transact(db, async () => {}, { settings: { "x'; select 1": 'y' } }),
    ).rejects.toThrow(TypeError);
    await expect(
      transact(db, async () => {}, { settings: { 'app.colour': '\0' } }),
    ).rejects.toThrow(TypeError);
    // A setting that the server refuses leaves no transaction open, and runs nothing.
    let ran = false;
    const refused = transact(db, async () => void (ran = true), {
      settings: { statement_timeout: 'soon' },
    });
    await expect(refused).rejects.toThrow();
    expect(ran).toBe(false);
    expect(await valueOf(db, 1)).toBeTypeOf('number');
    await expect(
      transact(db, (trx) => transact(trx, async () => {}, { settings })),
    ).rejects.toThrow(TypeError);
  });

  test('does not begin where the statement that goes with it fails, and keeps its connection', async ({
    db,
    connection,
  }) => {
    const assertion = `do $$ begin if current_setting('app.colour', true) = 'red' then
      raise exception 'closed' using errcode = 'SVC99'; end if; end $$`;
    const pid = async (on: Parameters<typeof transact>[0]) =>
      (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(on)).rows[0]?.pid;
    const before = await pid(db);
    const { open } = connection.pool();
    let ran = false;
    const begin = (colour: string) =>
      transact(db, async (trx) => ((ran = true), pid(trx)), {
        settings: { 'app.colour': colour },
        assertion,
      });
    await expect(begin('red')).rejects.toMatchObject({ code: 'SVC99' });
    expect(ran).toBe(false);
    expect(await begin('blue')).toBe(before);
    expect(connection.pool()).toMatchObject({ open, busy: 0 });
    await expect(
      transact(db, (trx) => transact(trx, async () => {}, { assertion })),
    ).rejects.toThrow(TypeError);
  });

  test('that throws leaves nothing and runs no hook', async ({ db }) => {
    let ran = false;
    const failing = transact(db, async (trx) => {
      afterCommit(trx, () => void (ran = true));
      await increment(2).execute(trx);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await valueOf(db, 2)).toBe(0);
    expect(ran).toBe(false);
  });

  test('within a transaction is a savepoint: its hooks live and die with it', async ({ db }) => {
    const seen: string[] = [];
    await transact(db, async (trx) => {
      afterCommit(trx, () => void seen.push('outer'));
      const failing = transact(trx, async (inner) => {
        afterCommit(inner, () => void seen.push('rolled back'));
        await transact(inner, async (innermost) =>
          afterCommit(innermost, () => void seen.push('rolled back with it')),
        );
        await sql`insert into counting.marks values (99)`.execute(inner);
      });
      expect(constraintOf(await failing.catch((e: unknown) => e))).toMatchObject({
        kind: 'foreign_key',
      });
      await transact(trx, async (inner) => {
        await increment(2).execute(inner);
        afterCommit(inner, () => void seen.push('inner'));
      });
      expect(seen).toEqual([]);
    });
    expect(seen).toEqual(['outer', 'inner']);
    expect(await valueOf(db, 2)).toBe(1);
  });

  test('refuses a transaction whose savepoint the code stands in: it would wait for itself', async ({
    db,
  }) => {
    const nested = transact(db, (outer) =>
      transact(outer, () => transact(outer, async () => 'never')),
    );
    await expect(nested).rejects.toThrow(TypeError);
    expect(
      await transact(db, (outer) => transact(outer, (inner) => transact(inner, async () => 'in'))),
    ).toBe('in');
  });

  test('takes savepoints side by side one after the other', async ({ db }) => {
    await transact(db, (trx) =>
      Promise.all([
        transact(trx, (inner) => increment(3).execute(inner)),
        transact(trx, (inner) => sql`select nonsense`.execute(inner)).catch(() => {}),
        transact(trx, (inner) => increment(3).execute(inner)),
      ]),
    );
    expect(await valueOf(db, 3)).toBe(2);
  });

  test('whose failed statement was swallowed does not pretend to commit', async ({ db }) => {
    let ran = false;
    const pretending = transact(db, async (trx) => {
      afterCommit(trx, () => void (ran = true));
      await sql`select nonsense`.execute(trx).catch(() => {});
    });
    await expect(pretending).rejects.toBeInstanceOf(CommitRolledBack);
    await expect(
      db.transaction().execute((trx) => sql`select nonsense`.execute(trx).catch(() => {})),
    ).rejects.toBeInstanceOf(CommitRolledBack);
    expect(ran).toBe(false);
  });

  test('that only reads cannot write', async ({ db }) => {
    await expect(
      transact(db, (trx) => increment(1).execute(trx), { readOnly: true }),
    ).rejects.toMatchObject({ code: '25006' });
  });

  test('without transact has no hooks', async ({ db }) => {
    expect(() => afterCommit(db, () => {})).toThrow(TypeError);
    await db.transaction().execute(async (trx) => {
      expect(() => afterCommit(trx, () => {})).toThrow(TypeError);
      await transact(trx, async (inner) =>
        expect(() => afterCommit(inner, () => {})).toThrow(TypeError),
      );
    });
  });

  test('stays committed when a hook throws, which is logged', async ({ db }) => {
    const logger = recordingLogger();
    let ran = false;
    await transact(
      db,
      async (trx) => {
        afterCommit(trx, () => Promise.reject(new Error('hook')));
        afterCommit(trx, () => void (ran = true));
      },
      { logger },
    );
    expect(ran).toBe(true);
    expect(logger.lines).toMatchObject([{ level: 'error' }]);
  });
});

const test = databaseTest([counters]);

describe('transactions at once', () => {
  test('twenty serializable increments end at twenty, and each hook runs once', async ({
    database,
  }) => {
    await using connection = await connect(database.urls!.url, { poolSize: 20 });
    let attempts = 0;
    let hooks = 0;
    const one = () =>
      transact(
        connection.db,
        async (trx) => {
          attempts += 1;
          const { rows } = await sql<{
            value: number;
          }>`select value from counting.counters where id = 1`.execute(trx);
          await sql`update counting.counters set value = ${rows[0]!.value + 1} where id = 1`.execute(
            trx,
          );
          afterCommit(trx, () => void (hooks += 1));
        },
        { isolation: 'serializable', retries: 100 },
      );
    await Promise.all(Array.from({ length: 20 }, one));
    const { rows } = await sql`select value from counting.counters where id = 1`.execute(
      connection.db,
    );
    expect(rows).toEqual([{ value: 20 }]);
    expect(hooks).toBe(20);
    expect(attempts).toBeGreaterThan(20);
  });

  test('two that deadlock both end well', async ({ db }) => {
    let met = 0;
    let meet: () => void;
    const together = new Promise<void>((resolve) => (meet = resolve));
    const cross = (first: number, second: number) =>
      transact(db, async (trx) => {
        await increment(first).execute(trx);
        if (++met === 2) meet();
        await together;
        await increment(second).execute(trx);
      });
    await Promise.all([cross(2, 3), cross(3, 2)]);
    const { rows } = await sql`select value from counting.counters where id in (2, 3)`.execute(db);
    expect(rows).toEqual([{ value: 2 }, { value: 2 }]);
  });

  test('a lost connection is tried again when it only reads, and not when it may have written', async ({
    db,
  }) => {
    const lose = async (readOnly: boolean) => {
      let attempts = 0;
      const run = transact(
        db,
        async (trx) => {
          attempts += 1;
          const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
          if (attempts === 1) await sql`select pg_terminate_backend(${rows[0]!.pid})`.execute(db);
          await sql`select 1`.execute(trx);
        },
        readOnly ? { readOnly } : {},
      );
      return {
        error: await run.then(
          () => undefined,
          (e: unknown) => e,
        ),
        attempts,
      };
    };
    expect(await lose(true)).toEqual({ error: undefined, attempts: 2 });
    expect(await lose(false)).toMatchObject({
      error: { code: DatabaseUnavailable.code },
      attempts: 1,
    });
  });
});
