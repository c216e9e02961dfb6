// Twenty workers commit without pause while the server goes away and comes back. Told `up` on stdin it says how long it
// took until every worker had committed again; told `stop`, what was acknowledged and what is found.
import { createInterface } from 'node:readline';
import { isFailure, systemClock, uuidv7 } from '@svc/core';
import { sql } from 'kysely';
import { connect, DatabaseUnavailable, transact } from '../../src/index.ts';

const workers = 20;
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const connection = await connect(process.argv[2] as string, { poolSize: workers });
const acknowledged = new Set<string>();
const unexpected: string[] = [];
const lastCommits = Array.from({ length: workers }, () => 0);
let refused = 0;
let stopping = false;

async function work(worker: number): Promise<void> {
  let id = uuidv7();
  while (!stopping) {
    try {
      // The id stays until it is acknowledged: after a COMMIT that was lost nobody knows whether it is there.
      await transact(connection.db, async (trx) => {
        await sql`insert into restarts.rows (id, worker) values (${id}, ${worker}) on conflict do nothing`.execute(
          trx,
        );
        await sql`select pg_sleep(0.001)`.execute(trx);
      });
      acknowledged.add(id);
      id = uuidv7();
      lastCommits[worker] = systemClock.elapsedMs();
    } catch (error) {
      if (!isFailure(error, DatabaseUnavailable)) unexpected.push(String(error));
      refused += 1;
      await systemClock.sleep(10);
    }
  }
}

async function resumed(): Promise<number> {
  const since = systemClock.elapsedMs();
  while (lastCommits.some((at) => at < since) && systemClock.elapsedMs() - since < 10_000)
    await systemClock.sleep(5);
  return systemClock.elapsedMs() - since;
}

const running = Array.from({ length: workers }, (_, worker) => work(worker));
await resumed();
say({ ready: true });
for await (const order of createInterface(process.stdin)) {
  if (order === 'up') say({ resumedMs: await resumed() });
  else break;
}
stopping = true;
await Promise.all(running);
const { rows } = await sql<{ id: string }>`select id from restarts.rows`.execute(connection.db);
const found = new Set(rows.map((row) => row.id));
const missing = [...acknowledged].filter((id) => !found.has(id)).length;
const unclaimed = [...found].filter((id) => !acknowledged.has(id)).length;
const pool = connection.pool();
await connection.close();
say({ acknowledged: acknowledged.size, missing, unclaimed, refused, unexpected, pool });
process.stdin.destroy();
