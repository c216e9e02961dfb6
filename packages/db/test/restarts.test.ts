import { describe, expect, test } from 'vitest';
import { connect, migrate } from '../src/index.ts';
import { startPostgres } from '../src/testing.ts';
import { runProgram, runtimes } from './runtimes.ts';

const rows = {
  schema: 'restarts',
  steps: [
    { name: '001', up: ['create table restarts.rows (id uuid primary key, worker int)'], down: [] },
  ],
};

describe.each(runtimes)('on $runtime', ({ command }) => {
  test('twenty working connections survive three restarts of PostgreSQL, and lose nothing acknowledged', async () => {
    await using server = await startPostgres({ durable: true });
    await using owner = await connect(server.ownerUrl);
    await migrate(owner.db, [rows], { appRole: 'svc_app' });
    const program = runProgram(command, 'restarts', [server.url]);
    expect(await program.next()).toEqual({ ready: true });
    for (const mode of ['fast', 'immediate', 'immediate'] as const) {
      await server.restart(mode);
      program.child.stdin.write('up\n');
      const { resumedMs } = await program.next<{ resumedMs: number }>();
      expect(resumedMs).toBeLessThan(1000);
    }
    program.child.stdin.write('stop\n');
    const result = await program.next<Record<string, number>>();
    expect(result).toMatchObject({
      missing: 0,
      unclaimed: 0,
      unexpected: [],
      pool: { max: 20, busy: 0, waiting: 0 },
    });
    expect(result['acknowledged']).toBeGreaterThan(100);
    expect(result['refused']).toBeGreaterThan(0);
    expect(await program.ended).toMatchObject({ code: 0, stderr: '' });
  }, 60_000);
});
