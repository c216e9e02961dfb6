// pnpm soak and pnpm fuzz: the race, kill and property tests, over and over. Not part of CI.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..');

/** What each command repeats; property tests draw new values in every round. */
const suites: Readonly<Record<string, readonly string[]>> = {
  soak: [
    'packages/db/test/restarts.test.ts',
    'packages/db/test/crashes.test.ts',
    'packages/db/test/pool.test.ts',
    'packages/db/test/transactions.test.ts',
    'packages/auth/test/races.test.ts',
    'packages/jobs/test/crashes.test.ts',
    'packages/auth/test/one-time-things.test.ts',
    'packages/auth/test/enumeration.test.ts',
    'packages/http/test/servers.test.ts',
    'packages/jobs/test/schedules-exactly-once.test.ts',
    'packages/tenancy/test/limits.test.ts',
    'packages/tenancy/test/member-races.test.ts',
    'packages/tenancy/test/pool-of-tenants.test.ts',
  ],
  fuzz: [
    'apps/acceptance/test/contract-fuzzer.test.ts',
    'packages/core/test/cursor.test.ts',
    'packages/http/test/bad-input.test.ts',
    'packages/http/test/client-address.test.ts',
    'packages/jobs/test/schedules-timetable.test.ts',
    'packages/mail/test/header-injection.test.ts',
    'packages/tenancy/test/random-queries.test.ts',
  ],
};

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '10' } },
  allowPositionals: true,
});
const files = suites[positionals[0] ?? ''];
const rounds = Number(values.rounds);
if (files === undefined || !Number.isInteger(rounds) || rounds < 1) {
  console.error(`Usage: pnpm ${Object.keys(suites).join('|')} [--rounds N]`);
  process.exit(2);
}
if (positionals[0] === 'fuzz') {
  // The whole app by its document, with another seed every time.
  const seed = randomInt(2 ** 31);
  console.log(`20000 requests to the app, seed ${seed}`);
  const { status } = spawnSync(
    process.execPath,
    [join(root, 'apps/acceptance/gate/main.ts'), '--only', 'A9-03'],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, FUZZ_REQUESTS: '20000', FUZZ_SEED: String(seed) },
    },
  );
  if (status !== 0) process.exit(1);
}
for (let round = 1; round <= rounds; round += 1) {
  const startedMs = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=dot', ...files],
    // Some tests have a short form for every day and a long one that takes minutes.
    {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, SOAK: String(positionals[0] === 'soak') },
    },
  );
  const took = `${((performance.now() - startedMs) / 1000).toFixed(0)} s`;
  console.log(`round ${round} of ${rounds}: ${status === 0 ? 'passed' : 'FAILED'} (${took})`);
  if (status !== 0) {
    console.error(stdout + stderr);
    process.exit(1);
  }
}
