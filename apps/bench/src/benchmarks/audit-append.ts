import type { AuditEvent } from '@svc/audit';
import { systemClock } from '@svc/core';
import { transact } from '@svc/db';
import type { PostgresServer } from '@svc/db/testing';
import { sql } from 'kysely';
import { logPoolSize, openLog, personalEvent, plainEvent, tenants } from '../audit/open-log.ts';
import { type Benchmark, type Prepared, type Sample, WrongAnswer } from '../benchmark.ts';
import { keepInFlight } from '../load.ts';

const inFlight = 64;

/** What accounting for an act costs it, with the sealer at work. */
export const auditAppend: Benchmark = {
  name: 'audit-append',
  summary: `events of ${tenants} tenants, ${inFlight} in flight over ${logPoolSize} connections, commits flushed to the disk, the sealer running`,
  reference: 'act alone',
  goals: [{ variant: 'append', figure: 'rate', atLeast: 5000 }],
  durable: true,
  prepare,
};

async function prepare(server: PostgresServer): Promise<Prepared> {
  const { db, audit, close } = await openLog(server);
  await audit.start();
  let appended = 0;
  const numbered = (event: (number: number) => AuditEvent) => event(appended++);
  const act = (trx: typeof db) => sql`insert into bench.work (title) values ('x')`.execute(trx);
  const entries = async () => {
    const { rows } = await sql<{ sealed: bigint; waiting: bigint }>`
      select (select count(*) from svc_audit.entries where type = 'projects.renamed') as sealed,
        (select count(*) from svc_audit.pending) as waiting`.execute(db);
    return rows[0];
  };

  const run = async (durationMs: number, operation: () => Promise<unknown>): Promise<Sample> => {
    const sample = await keepInFlight(
      { inFlight, durationMs },
      async () => void (await operation()),
    );
    await audit.seal();
    const found = await entries();
    if (Number(found?.sealed) !== appended || Number(found?.waiting) !== 0)
      throw new WrongAnswer(`${found?.sealed} of ${appended} events are in the log`);
    return sample;
  };
  const operations = {
    'act alone': () => transact(db, act),
    'act and event': () =>
      transact(db, async (trx) => {
        await act(trx);
        await audit.append(numbered(plainEvent), { within: trx });
      }),
    append: () => audit.append(numbered(plainEvent)),
    'append, with personal values': () => audit.append(numbered(personalEvent)),
  };
  const untilSealed = async (durationMs: number): Promise<Sample> => {
    const startedAt = systemClock.elapsedMs();
    const sample = await run(durationMs, operations.append);
    return { ...sample, elapsedMs: systemClock.elapsedMs() - startedAt };
  };
  return {
    variants: [
      ...Object.entries(operations).map(([name, operation]) => ({
        name,
        run: (durationMs: number) => run(durationMs, operation),
      })),
      { name: 'append, until all is sealed', run: untilSealed },
    ],
    async [Symbol.asyncDispose]() {
      await audit.stop();
      await close();
    },
  };
}
