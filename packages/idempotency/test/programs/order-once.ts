// Writes an order under a key as a request would, and stops where it is told, saying so, to be killed there.
import { systemClock } from '@svc/core';
import { connect, transact } from '@svc/db';
import { createIdempotency } from '../../src/index.ts';
import { postgresStore } from '../../src/stores/postgres.ts';
import { writeOrder } from '../orders.ts';

const [url, mode, point, key, lease] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  '1s',
];
const { db } = await connect(url);
const idempotency = createIdempotency({ store: postgresStore(db), lease });
const reach = async (here: string) => {
  if (here !== point) return;
  process.stdout.write(`${JSON.stringify({ reached: here })}\n`);
  await systemClock.sleep(60_000);
};
await idempotency.run(
  { scope: { caller: 'ada', method: 'POST', route: '/orders' }, key, fingerprint: 'f' },
  async ({ within }) => {
    await reach('claimed');
    await writeOrder(within ?? db, key);
    await reach('written');
    return { status: 201, headers: [], body: new TextEncoder().encode('ordered') };
  },
  mode === 'joined' ? { transact: (fn) => transact(db, fn) } : {},
);
await reach('finished');
