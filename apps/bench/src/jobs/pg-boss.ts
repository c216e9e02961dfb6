import { PgBoss } from 'pg-boss';
import pg from 'pg';
import { chunks, type OpenQueue } from './queue.ts';

const name = 'noop';
const lanes = 4;

/** pg-boss, by `fetch` of 500 and `complete` in four lanes, its fastest. */
export const pgBossQueue: OpenQueue = async (url) => {
  const boss = new PgBoss({ connectionString: url, max: 16, supervise: false, schedule: false });
  boss.on('error', (error) => {
    throw error;
  });
  await boss.start();
  await boss.createQueue(name);
  const pool = new pg.Pool({ connectionString: url, max: 32 });
  return {
    name: 'pg-boss, fetch 500',
    async fill(count) {
      for (const size of chunks(count))
        await boss.insert(
          name,
          Array.from({ length: size }, (_, n) => ({ data: { n } })),
        );
    },
    async addOne() {
      const client = await pool.connect();
      try {
        await client.query('begin');
        const db = { executeSql: (text: string, values?: unknown[]) => client.query(text, values) };
        await boss.send(name, { n: 1 }, { db });
        await client.query('commit');
      } finally {
        client.release();
      }
    },
    async drain() {
      let ran = 0;
      const lane = async () => {
        for (;;) {
          const jobs = await boss.fetch(name, { batchSize: 500 });
          if (jobs.length === 0) return;
          ran += jobs.length;
          await boss.complete(
            name,
            jobs.map(({ id }) => id),
          );
        }
      };
      await Promise.all(Array.from({ length: lanes }, lane));
      return ran;
    },
    clear: () => boss.deleteAllJobs(name),
    async [Symbol.asyncDispose]() {
      await boss.stop({ graceful: false });
      await pool.end();
    },
  };
};
