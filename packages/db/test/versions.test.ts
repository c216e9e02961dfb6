import { failure } from '@svc/core';
import { expect } from 'vitest';
import {
  AlreadyExists,
  expectInserted,
  expectUpdated,
  type Migrations,
  StaleVersion,
} from '../src/index.ts';
import { databaseTest } from '../src/testing.ts';

class NoDocument extends failure('docs.not_found', 'not_found', 'There is no such document.') {}

const docs: Migrations = {
  schema: 'docs',
  steps: [
    {
      name: '001',
      up: [
        'create table docs.docs (id int primary key, title text, version int not null default 1)',
        "insert into docs.docs (id, title) values (1, 'a')",
      ],
      down: [],
    },
  ],
};
const test = databaseTest([docs]);

test('of fifty updates with one expected version one wins, the rest are stale, and a missing row is not found', async ({
  db,
}) => {
  const update = async (id: number, version: number, title: string) =>
    expectUpdated(
      await db
        .updateTable('docs.docs')
        .set((eb) => ({ title, version: eb('version', '+', 1) }))
        .where('id', '=', id)
        .where('version', '=', version)
        .returningAll()
        .executeTakeFirst(),
      {
        find: () => db.selectFrom('docs.docs').select('id').where('id', '=', id).executeTakeFirst(),
        notFound: () => new NoDocument(),
      },
    );
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, (_, i) => update(1, 1, `t${i}`)),
  );
  expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1);
  expect(
    results.filter((r) => r.status === 'rejected' && r.reason instanceof StaleVersion),
  ).toHaveLength(49);
  await expect(update(2, 1, 'x')).rejects.toBeInstanceOf(NoDocument);
});

test('of fifty who write only what is not there yet one writes', async ({ db }) => {
  const insert = async (title: string) =>
    expectInserted(
      await db
        .insertInto('docs.docs')
        .values({ id: 9, title })
        .onConflict((conflict) => conflict.doNothing())
        .returningAll()
        .executeTakeFirst(),
    );
  const results = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => insert(`t${i}`)));
  expect(results.filter((each) => each.status === 'fulfilled')).toHaveLength(1);
  for (const each of results)
    if (each.status === 'rejected') expect(each.reason).toBeInstanceOf(AlreadyExists);
});
