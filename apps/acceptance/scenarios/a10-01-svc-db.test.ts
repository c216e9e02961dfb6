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
const status = () => steps('status', 'steps');
const states = (steps: Step[]) => new Set(steps.map(({ state }) => state));

test('status, migrate, seed, rollback and migrate again do what they say', async () => {
  const before = await status();
  expect(before.map(({ schema }) => schema)).toEqual(expect.arrayContaining(['svc_auth', 'app']));
  expect(states(before)).toEqual(new Set(['pending']));

  expect(await steps('migrate', 'applied')).toHaveLength(before.length);
  expect(await steps('migrate', 'applied')).toEqual([]);
  expect(await svc(['db', 'seed'])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('demo_project'),
  });
  expect(await svc(['db', 'seed'])).toMatchObject({
    exitCode: 0,
    stdout: expect.not.stringContaining('demo_project'),
  });

  const [undone] = await steps('rollback', 'undone');
  expect((await status()).filter(({ state }) => state === 'pending')).toMatchObject([
    { schema: 'app', name: undone?.name },
  ]);
  expect(await steps('migrate', 'applied')).toMatchObject([{ name: undone?.name }]);
});

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
