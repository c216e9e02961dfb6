import { expectTypeOf, test } from 'vitest';
import { type Connection, connect, type Db, type Trx, transact } from '../src/index.ts';
import { databaseTest } from '../src/testing.ts';

test('a transaction fits where a database is wanted, and not the other way round', () => {
  expectTypeOf<Trx>().toExtend<Db>();
  expectTypeOf<Db>().not.toExtend<Trx>();
  expectTypeOf(connect).returns.toEqualTypeOf<Promise<Connection>>();
  expectTypeOf(transact<{ id: string }>).returns.toEqualTypeOf<Promise<{ id: string }>>();
});

databaseTest()('fixtures are typed', ({ db, connection }) => {
  expectTypeOf(db).toEqualTypeOf<Db>();
  expectTypeOf(connection).toEqualTypeOf<Connection>();
});
