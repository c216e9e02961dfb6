import { expect, test } from 'vitest';
import { control } from './client.ts';

interface Step {
  schema: string;
  name: string;
  state: 'applied' | 'pending';
}

const svc = (args: string[], database = 'a10-01', environment: Record<string, string> = {}) => control('svc', { args, database, environment });
const status = async (): Promise<Step[]> => {
  const { exitCode, stdout } = await svc(['db', 'status', '--json']);
  expect(exitCode).toBe(0);
  return (JSON.parse(stdout) as { steps: Step[] }).steps;
};
const states = (steps: Step[]) => new Set(steps.map(({ state }) => state));

test('status, migrate, seed, rollback and migrate again do what they say', async () => {
  const before = await status();
  expect(before.map(({ schema }) => schema)).toEqual(expect.arrayContaining(['svc_auth', 'app']));
  expect(states(before)).toEqual(new Set(['pending']));

  expect(await svc(['db', 'migrate'])).toMatchObject({ exitCode: 0 });
  expect(states(await status())).toEqual(new Set(['applied']));

  expect(await svc(['db', 'seed'])).toMatchObject({ exitCode: 0 });
  expect(await svc(['db', 'seed'])).toMatchObject({ exitCode: 0 });

  expect(await svc(['db', 'rollback'])).toMatchObject({ exitCode: 0 });
  expect((await status()).filter(({ state }) => state === 'pending')).toHaveLength(1);
  expect(await svc(['db', 'migrate'])).toMatchObject({ exitCode: 0 });
  expect(states(await status())).toEqual(new Set(['applied']));
});

test('a second migration does nothing, and says so', async () => {
  const { exitCode, stdout } = await svc(['db', 'migrate', '--json']);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ steps: [] });
});

test('a wrong command ends with 2 and says what there is', async () => {
  const { exitCode, stderr } = await svc(['db', 'destroy']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('migrate');
});

test('bad settings end with 78, every fault listed, no stack trace, no value', async () => {
  const { exitCode, stdout, stderr } = await svc(['db', 'status'], 'a10-01', { PORT: 'eighty-eighty', SMTP_URL: 'http://mailserver' });
  expect(exitCode).toBe(78);
  expect(stderr).toMatch(/PORT[\s\S]*SMTP_URL/);
  expect(stdout + stderr).not.toMatch(/eighty-eighty|mailserver|\n\s+at /);
});
