import { expect, test } from 'vitest';
import { createProject } from './project.ts';

const config = (lint: string) => ({
  'svc.config.mjs': `export default {
    database: () => ({ url: 'pglite://memory', appRole: 'app_role' }),
    ${lint}
  }`,
});

test('what is found is printed with what to do: exit code 1', async () => {
  await using project = await createProject(
    config(`tenants: { lint: async (db, { appRole }) => {
      const { rows } = await db.executeQuery(
        { sql: 'select 1 as one', parameters: [], query: { kind: 'RawNode' }, queryId: { queryId: '1' } });
      return [{ table: 'app.notes', rule: 'row-security-off', message: 'for ' + appRole + rows[0].one, fix: 'alter it' }];
    } },`),
  );
  expect(await project.run('tenants', 'lint')).toEqual({
    exitCode: 1,
    stdout: 'app.notes: row-security-off: for app_role1\n  alter it\n',
    stderr: '',
  });
  const { exitCode, stdout } = await project.run('tenants', 'lint', '--json');
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, findings: [{ table: 'app.notes' }] });
});

test('nothing found is said: exit code 0', async () => {
  await using project = await createProject(config('tenants: { lint: async () => [] },'));
  expect(await project.run('tenants', 'lint')).toEqual({
    exitCode: 0,
    stdout: 'There is no way past the isolation of tenants.\n',
    stderr: '',
  });
});

test('an app without tenants is a wrong call', async () => {
  await using project = await createProject(config(''));
  expect(await project.run('tenants', 'lint')).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: 'svc: the config says nothing of tenants: give it tenants.lint\n',
  });
});
