import { inspect } from 'node:util';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { constraintOf, type Migrations } from '../src/index.ts';
import { describeDatabases } from '../src/testing.ts';

const rules: Migrations = {
  schema: 'rules',
  steps: [
    {
      name: '001',
      up: [
        `create table rules.a (id int primary key, mail text not null constraint a_mail_key unique, age int constraint a_age_check check (age > 0), at timestamptz, data jsonb)`,
        `create table rules.b (a int constraint b_a_fkey references rules.a (id))`,
      ],
      down: [],
    },
  ],
};
const secret = 'hunter2-s3cret';

describeDatabases('an error of a statement', [rules], (test) => {
  test('names the constraint, the same on both engines', async ({ db }) => {
    const broken = async (values: object, table = 'rules.a') =>
      constraintOf(
        await db
          .insertInto(table)
          .values(values)
          .execute()
          .catch((error: unknown) => error),
      );
    await db.insertInto('rules.a').values({ id: 1, mail: secret }).execute();
    expect(await broken({ id: 1, mail: 'x' })).toEqual({ kind: 'unique', constraint: 'a_pkey' });
    expect(await broken({ id: 2, mail: secret })).toEqual({
      kind: 'unique',
      constraint: 'a_mail_key',
    });
    expect(await broken({ id: 3, mail: null })).toEqual({ kind: 'not_null', constraint: 'mail' });
    expect(await broken({ id: 4, mail: 'y', age: -1 })).toEqual({
      kind: 'check',
      constraint: 'a_age_check',
    });
    expect(await broken({ a: 77 }, 'rules.b')).toEqual({
      kind: 'foreign_key',
      constraint: 'b_a_fkey',
    });
    expect(constraintOf(new Error('other'))).toBeUndefined();
  });

  test('carries no value of the statement', async ({ db }) => {
    const attempts = [
      db.insertInto('rules.a').values({ id: 9, mail: secret, age: -1 }),
      db.insertInto('rules.a').values({ id: 1, mail: secret }),
      db.insertInto('rules.a').values({ id: 9, mail: 'z', at: secret }),
      db.insertInto('rules.a').values({ id: 9, mail: 'z', data: `{"${secret}` }),
      db.insertInto('rules.a').values({ id: secret, mail: 'z' }),
      db.insertInto('rules.a').values({ id: 9, mail: `${secret}\0` }),
    ];
    for (const attempt of attempts) {
      const error = await attempt.execute().then(
        () => undefined,
        (e: unknown) => e,
      );
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { showHidden: true, depth: 9 })).not.toContain(secret);
    }
    // The session is none the worse.
    await sql`select 1`.execute(db);
  });

  test('a parameter that has no text is a TypeError', async ({ db }) => {
    for (const value of [Symbol('x'), new Date(NaN)]) {
      await expect(sql`select ${value}`.execute(db)).rejects.toBeInstanceOf(TypeError);
    }
  });

  test('two statements in one are refused', async ({ db }) => {
    await expect(sql`select 1; select 2`.execute(db)).rejects.toMatchObject({ code: '42601' });
  });
});
