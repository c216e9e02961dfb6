import { sql } from 'kysely';
import { describe, expect } from 'vitest';
import {
  connect,
  constraintOf,
  migrate,
  type Migrations,
  migrationStatus,
  rollback,
  seed,
} from '../src/index.ts';
import { databaseTest, describeDatabases } from '../src/testing.ts';

const things: Migrations = {
  schema: 'things',
  steps: [
    {
      name: '001_things',
      up: ['create table things.things (id int primary key, name text not null)'],
      down: ['drop table things.things'],
    },
    {
      name: '002_size',
      up: ['alter table things.things add column size int', 'create index on things.things (size)'],
      down: ['alter table things.things drop column size'],
    },
  ],
};
const uses: Migrations = {
  schema: 'uses',
  steps: [
    {
      name: '001_uses',
      up: ['create table uses.uses (thing int references things.things (id))'],
      down: ['drop table uses.uses'],
      breaking: true,
    },
  ],
};
const both = [things, uses];
const names = (statuses: readonly { schema: string; name: string }[]) =>
  statuses.map((s) => `${s.schema}/${s.name}`);

describeDatabases('migrations', both, (test) => {
  test('are applied once, in order, and the second call does nothing', async ({ database, db }) => {
    expect(names(await migrationStatus(db, both))).toEqual([
      'things/001_things',
      'things/002_size',
      'uses/001_uses',
    ]);
    expect(
      (await migrationStatus(db, both)).every(
        (s) => s.state === 'applied' && s.appliedAt instanceof Date,
      ),
    ).toBe(true);
    expect(database.engine === 'pglite' ? await migrate(db, both) : []).toEqual([]);
  });

  test('give the app its tables, and the ledger only to read', async ({ db }) => {
    await db.insertInto('things.things').values({ id: 1, name: 'one' }).execute();
    expect(await db.selectFrom('things.migrations').select('name').execute()).toHaveLength(2);
    await expect(db.deleteFrom('things.migrations').execute()).rejects.toMatchObject({
      code: '42501',
    });
    await expect(sql`create table things.more ()`.execute(db)).rejects.toMatchObject({
      code: '42501',
    });
    await expect(sql`alter table things.things add column x int`.execute(db)).rejects.toMatchObject(
      { code: '42501' },
    );
  });
});

const test = databaseTest();

describe('migrations', () => {
  test('ten clients at once apply each step once', async ({ database }) => {
    const clients = await Promise.all(
      Array.from({ length: 10 }, () => connect(database.urls!.ownerUrl, { poolSize: 2 })),
    );
    const applied = await Promise.all(clients.map(({ db }) => migrate(db, both)));
    expect(names(applied.flat()).toSorted()).toEqual([
      'things/001_things',
      'things/002_size',
      'uses/001_uses',
    ]);
    await Promise.all(clients.map((client) => client.close()));
  });

  test('a changed step is an error that names it', async ({ database }) => {
    const changed = {
      ...things,
      steps: [things.steps[0]!, { ...things.steps[1]!, up: ['select 1'] }],
    };
    await using owner = await connect(database.urls!.ownerUrl);
    await expect(migrate(owner.db, [changed])).rejects.toThrow(
      'The migration things/002_size was changed',
    );
  });

  test('a failing step leaves nothing of itself, keeps the steps before it, and works when mended', async ({
    database,
  }) => {
    await using owner = await connect(database.urls!.ownerUrl);
    const broken: Migrations = {
      schema: 'broken',
      steps: [
        { name: '001', up: ['create table broken.a (id int)'], down: [] },
        { name: '002', up: ['create table broken.b (id int)', 'select nonsense'], down: [] },
      ],
    };
    await expect(migrate(owner.db, [broken])).rejects.toThrow('The migration broken/002 failed');
    const mended = {
      ...broken,
      steps: [broken.steps[0]!, { ...broken.steps[1]!, up: ['create table broken.b (id int)'] }],
    };
    expect(names(await migrate(owner.db, [mended]))).toEqual(['broken/002']);
    await expect(rollback(owner.db, [mended])).rejects.toThrow('broken/002 has no way back');
  });

  test('a process that dies in the middle of a step holds nobody up', async ({ database }) => {
    const slow: Migrations = {
      schema: 'slow',
      steps: [
        { name: '001', up: ['create table slow.a (id int)', 'select pg_sleep(30)'], down: [] },
      ],
    };
    await using dying = await connect(database.urls!.ownerUrl);
    const failing = expect(migrate(dying.db, [slow])).rejects.toThrow();
    let killed = 0;
    while (killed === 0) {
      const { rows } = await database.asOwner((trx) =>
        sql`select pg_terminate_backend(pid) from pg_stat_activity where query = 'select pg_sleep(30)' and state = 'active'`.execute(
          trx,
        ),
      );
      killed = rows.length;
    }
    await failing;
    await using next = await connect(database.urls!.ownerUrl);
    const quick = { ...slow, steps: [{ ...slow.steps[0]!, up: ['create table slow.a (id int)'] }] };
    expect(names(await migrate(next.db, [quick]))).toEqual(['slow/001']);
  });

  test('older code starts beside a newer ledger, unless a step it does not know is breaking', async ({
    database,
  }) => {
    await using owner = await connect(database.urls!.ownerUrl);
    expect(await migrate(owner.db, [{ ...things, steps: [things.steps[0]!] }])).toEqual([]);
    await expect(migrate(owner.db, [{ ...uses, steps: [] }])).rejects.toThrow(
      'uses/001_uses is applied, is breaking',
    );
  });

  test('a step put before applied ones is an error', async ({ database }) => {
    await using owner = await connect(database.urls!.ownerUrl);
    const inserted = {
      ...things,
      steps: [things.steps[0]!, { name: '001b', up: ['select 1'], down: [] }, things.steps[1]!],
    };
    await expect(migrate(owner.db, [inserted])).rejects.toThrow('things/001b stands before');
  });

  test('roll back from the last package backwards', async ({ database }) => {
    await using owner = await connect(database.urls!.ownerUrl);
    expect(names(await rollback(owner.db, both, { steps: 2 }))).toEqual([
      'uses/001_uses',
      'things/002_size',
    ]);
    expect((await migrationStatus(owner.db, both)).map((s) => s.state)).toEqual([
      'applied',
      'pending',
      'pending',
    ]);
    expect(names(await rollback(owner.db, both, { steps: 9 }))).toEqual(['things/001_things']);
  });

  test('wait for a table no longer than they are told', async ({ database }) => {
    await using owner = await connect(database.urls!.ownerUrl);
    await migrate(owner.db, [things]);
    const step = { name: '003', up: ['alter table things.things add column later int'], down: [] };
    await owner.db.transaction().execute(async (trx) => {
      await sql`lock table things.things in access share mode`.execute(trx);
      await using other = await connect(database.urls!.ownerUrl);
      const late = migrate(other.db, [{ ...things, steps: [...things.steps, step] }], {
        lockTimeoutMs: 100,
      });
      await expect(late).rejects.toThrow('things/003 failed');
    });
  });
});

describeDatabases('seeds', both, (test) => {
  test('run once, each in one transaction', async ({ database, db }) => {
    const owner = database.urls === undefined ? undefined : await connect(database.urls.ownerUrl);
    const target = owner?.db ?? db;
    let runs = 0;
    const first = {
      name: 'first',
      run: async (trx: typeof db) =>
        void (runs++, await sql`insert into things.things values (7, 'seven')`.execute(trx)),
    };
    const bad = {
      name: 'bad',
      run: async (trx: typeof db) =>
        void (await sql`insert into things.things values (8, 'eight'), (7, 'again')`.execute(trx)),
    };
    expect(await seed(target, [first])).toEqual(['first']);
    expect(await seed(target, [first])).toEqual([]);
    const error = await seed(target, [first, bad]).catch((e: unknown) => e);
    expect(constraintOf(error)).toEqual({ kind: 'unique', constraint: 'things_pkey' });
    expect(runs).toBe(1);
    expect(
      await database.asOwner((trx) => sql`select from things.things where id = 8`.execute(trx)),
    ).toMatchObject({ rows: [] });
    await owner?.close();
  });
});
