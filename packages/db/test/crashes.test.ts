import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { connect, DatabaseLocked } from '../src/index.ts';
import { runProgram, runtimes } from './runtimes.ts';

// A round is mostly PGlite's start, over a second; the lock is what differs by runtime, and a few show that.
const rounds = { Node: 20, Bun: 5 };

describe.each(runtimes)('on $runtime', ({ runtime, command }) => {
  test(`a PGlite directory whose process is killed ${rounds[runtime]} times loses nothing acknowledged, and lets no second opener in`, async () => {
    const base = mkdtempSync(join(tmpdir(), 'svc-pglite-crash-'));
    const directory = join(base, 'data');
    try {
      const acknowledged = new Set<number>();
      const note = ({ id }: { id: number }) => void acknowledged.add(id);
      for (let round = 0; round < rounds[runtime]; round += 1) {
        const writer = runProgram(command, 'pglite-writer', [directory]);
        const { found } = await writer.next<{ found: number }>();
        expect(found).toBeGreaterThanOrEqual(Math.max(0, ...acknowledged));
        for (let more = 5 + round; more > 0; more -= 1) note(await writer.next<{ id: number }>());
        if (round % 10 === 0) {
          const second = await connect(`pglite:${directory}`).catch((error: unknown) => error);
          expect(second).toBeInstanceOf(DatabaseLocked);
          expect((second as DatabaseLocked).pid).toBe(writer.child.pid);
        }
        // What it still says before the signal arrives was acknowledged as well.
        writer.lines.on('line', (line) => note(JSON.parse(line) as { id: number }));
        writer.child.kill('SIGKILL');
        expect(await writer.ended).toMatchObject({ signal: 'SIGKILL', stderr: '' });
      }
      await using connection = await connect(`pglite:${directory}`);
      const { rows } = await sql<{ id: bigint }>`select id from written`.execute(connection.db);
      const found = new Set(rows.map((row) => Number(row.id)));
      expect([...acknowledged].filter((id) => !found.has(id))).toEqual([]);
    } finally {
      rmSync(base, { recursive: true, force: true });
    }
  }, 180_000);
});
