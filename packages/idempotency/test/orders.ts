import type { Db, Migrations } from '@svc/db';
import { sql } from 'kysely';

/** What a handler writes: an order, and a row of an outbox. */
export const orderMigrations: Migrations = {
  schema: 'orders',
  steps: [
    {
      name: '001',
      up: [
        'create table orders.orders (id int generated always as identity primary key, key text not null)',
        'create table orders.outbox (key text not null)',
      ],
      down: [],
    },
  ],
};

export async function writeOrder(db: Db, key: string): Promise<void> {
  await sql`insert into orders.orders (key) values (${key})`.execute(db);
  await sql`insert into orders.outbox (key) values (${key})`.execute(db);
}

/** How often the order was written, and told of. */
export async function countOrders(db: Db, key: string): Promise<[orders: number, told: number]> {
  const { rows } = await sql<{ orders: number; told: number }>`
    select (select count(*)::int from orders.orders where key = ${key}) as orders,
      (select count(*)::int from orders.outbox where key = ${key}) as told`.execute(db);
  return [rows[0]?.orders ?? -1, rows[0]?.told ?? -1];
}
