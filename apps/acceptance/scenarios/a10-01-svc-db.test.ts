import { expect, test } from 'vitest';
import { control } from './client.ts';

interface Step {
  schema: string;
  name: string;
  state: 'applied' | 'pending';
}

const svc = (args: string[], database = 'a10-01', environment: Record<string, string> = {}) =>
  control('svc', { args, database, environment });
/** The steps that a command reports under this name. */
const steps = async (verb: string, name: string): Promise<Step[]> => {
  const { exitCode, stdout, stderr } = await svc(['db', verb, '--json']);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return (JSON.parse(stdout) as Record<string, Step[]>)[name] ?? [];
};

test(
  'migrate, seed, rollback, migrate again and status do what they say',
  { timeout: 90_000 },
  async () => {
    const applied = await steps('migrate', 'applied');
    expect(applied.map(({ schema }) => schema)).toEqual(
      expect.arrayContaining(['svc_auth', 'app']),
    );
    const seeding = { exitCode: 0, stdout: expect.stringContaining('demo_project') };
    expect(await svc(['db', 'seed'])).toMatchObject(seeding);
    const again = { exitCode: 0, stdout: expect.not.stringContaining('demo_project') };
    expect(await svc(['db', 'seed'])).toMatchObject(again);

    const undone = await steps('rollback', 'undone');
    expect(undone).toEqual([applied.at(-1)]);
    expect(await steps('migrate', 'applied')).toEqual(undone);
    const status = await steps('status', 'steps');
    expect(status).toHaveLength(applied.length);
    expect(new Set(status.map(({ state }) => state))).toEqual(new Set(['applied']));
  },
);

test('a wrong command ends with 2 and says what there is', async () => {
  const { exitCode, stderr } = await svc(['db', 'destroy']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('migrate');
});

test('bad settings end with 78, every fault listed, no stack trace, no value', async () => {
  const { exitCode, stdout, stderr } = await svc(['db', 'status'], 'a10-01', {
    PORT: 'eighty-eighty',
    SMTP_URL: 'http://mailserver',
  });
  expect(exitCode).toBe(78);
  expect(stderr).toMatch(/PORT[\s\S]*SMTP_URL/);
  expect(stdout + stderr).not.toMatch(/eighty-eighty|mailserver|\n\s+at /);
});
