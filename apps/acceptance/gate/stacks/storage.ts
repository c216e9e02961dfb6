import { randomUUID } from 'node:crypto';
import { connect } from '@svc/db';
import { Redis } from 'ioredis';
import { sql } from 'kysely';

/** A text that stands somewhere, and in which tables or Redis keys. */
export interface Finding {
  readonly text: string;
  readonly places: readonly string[];
}

/** Everything that is stored, as text by place: every table of the database, and every key of Redis. */
type Dump = ReadonlyMap<string, string>;

/** Looks for texts in all that a stack has stored. @throws {Error} when it does not find what it has just put there */
export async function findStored(
  texts: readonly string[],
  { superuserUrl, redisUrl }: { superuserUrl: string; redisUrl: string },
): Promise<Finding[]> {
  const dump = new Map([...(await dumpTables(superuserUrl)), ...(await dumpRedis(redisUrl))]);
  return texts
    .map((text) => ({ text, places: placesOf(dump, text) }))
    .filter(({ places }) => places.length > 0);
}

const placesOf = (dump: Dump, text: string) =>
  [...dump].filter(([, stored]) => stored.includes(text)).map(([place]) => place);

// A superuser sees every row, whatever row-level security says; bytes come as hex.
async function dumpTables(superuserUrl: string): Promise<Dump> {
  await using connection = await connect(superuserUrl, { poolSize: 1 });
  const { db } = connection;
  const { rows: tables } = await sql<{ schema: string; name: string }>`
    select schemaname as schema, tablename as name from pg_catalog.pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')`.execute(db);
  const dump = new Map<string, string>();
  for (const { schema, name } of tables) {
    const { rows } = await sql<{ line: string }>`
      select t::text as line from ${sql.id(schema, name)} t`.execute(db);
    dump.set(`${schema}.${name}`, rows.map(({ line }) => line).join('\n'));
  }
  return dump;
}

async function dumpRedis(url: string): Promise<Dump> {
  const client = new Redis(url);
  // Of its own, so that an empty Redis is told from one that was not read.
  const [probe, value] = ['svc-gate-probe', randomUUID()];
  try {
    await client.set(probe, value, 'EX', 60);
    const dump = new Map<string, string>();
    for (const key of await client.keys('*'))
      dump.set(`redis ${key}`, `${key}\n${await valueOf(client, key)}`);
    if (placesOf(dump, value).join() !== `redis ${probe}`)
      throw new Error('the gate did not find in Redis what it had put there');
    return dump;
  } finally {
    await client.del(probe);
    client.disconnect();
  }
}

async function valueOf(client: Redis, key: string): Promise<string> {
  const type = await client.type(key);
  if (type === 'string') return String(await client.get(key));
  if (type === 'hash') return JSON.stringify(await client.hgetall(key));
  if (type === 'list') return JSON.stringify(await client.lrange(key, 0, -1));
  if (type === 'set') return JSON.stringify(await client.smembers(key));
  if (type === 'zset') return JSON.stringify(await client.zrange(key, 0, '-1'));
  if (type === 'stream') return JSON.stringify(await client.xrange(key, '-', '+'));
  // It expired meanwhile.
  if (type === 'none') return '';
  throw new Error(`the gate cannot read a Redis key of type ${type}`);
}
