import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createProject } from './project.ts';

const common = ['--config PATH', '--json', '--help'];

test.each([
  ['svc', [], [...common, '--version', 'migrate', 'rollback', 'status', 'seed']],
  ['svc db', ['db'], [...common, 'migrate', 'rollback', 'status', 'seed']],
  ['svc db migrate', ['db', 'migrate'], common],
  [
    'svc db rollback',
    ['db', 'rollback'],
    [...common, '--steps N', '--yes-i-mean-production DATABASE'],
  ],
  ['svc db status', ['db', 'status'], common],
  ['svc db seed', ['db', 'seed'], common],
  ['svc tenants', ['tenants'], [...common, 'lint']],
  ['svc tenants lint', ['tenants', 'lint'], common],
])('%s --help ends well and names its flags, without a config', async (_, argv, names) => {
  await using project = await createProject();
  const { exitCode, stdout, stderr } = await project.run(...argv, '--help');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  for (const name of names) expect(stdout).toContain(name);
});

test.each([
  ['nothing', [], 'which command? Try svc --help'],
  ['a group alone', ['db'], 'which command? Try svc db --help'],
  [
    'a group that is not there',
    ['database'],
    "svc has no command 'database'; it has: db, jobs, audit, tenants",
  ],
  [
    'a command that is not there',
    ['db', 'migrat'],
    "svc db has no command 'migrat'; it has: migrate, rollback, status, seed",
  ],
  ['a name that every object has', ['constructor'], "no command 'constructor'"],
  ['a flag that is not there', ['db', 'migrate', '--force'], '--force'],
  ["another command's flag", ['db', 'migrate', '--steps', '2'], '--steps'],
  ['a flag without its value', ['db', 'migrate', '--config'], '--config'],
  ['a word too many', ['db', 'migrate', 'now'], "takes no 'now'"],
  ['no config', ['db', 'migrate'], 'there is no svc.config.ts'],
  ['a config that is not there', ['db', 'migrate', '--config', 'other.js'], 'other.js'],
])('%s is a wrong call: exit code 2', async (_, argv, message) => {
  await using project = await createProject();
  const { exitCode, stdout, stderr } = await project.run(...argv);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr).not.toMatch(/^\s+at /m);
});

test.each(['0', '-1', '1.5', 'all', '1e3', ''])('--steps %j is a wrong call', async (steps) => {
  await using project = await createProject({
    'svc.config.mjs': `export default { database: () => ({ url: 'pglite://memory' }) }`,
  });
  expect(await project.run('db', 'rollback', `--steps=${steps}`)).toMatchObject({ exitCode: 2 });
});

test.each([
  ['nothing', ''],
  ['no database', 'export default {}'],
  ['a number', 'export default 1'],
])('a config that exports %s is a wrong call', async (_, text) => {
  await using project = await createProject({ 'svc.config.mjs': text });
  const { exitCode, stderr } = await project.run('db', 'status');
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('defineConfig'),
  });
});

// By shape, as from an app that has a copy of core of its own.
const fail = `const fail = () => {
  const message = 'The settings are not valid:\\n  DATABASE_URL is missing: expected a URL\\n  PORT is invalid: expected a number';
  const issues = [
    { variable: 'DATABASE_URL', problem: 'missing', expected: 'a URL' },
    { variable: 'PORT', problem: 'invalid', expected: 'a number' },
  ];
  throw Object.assign(new Error(message), { name: 'InvalidSettings', issues });
};`;

test.each([
  [
    'when they are read',
    `${fail} export default { settings: fail, database: () => ({ url: '' }) }`,
  ],
  ['when the config is loaded', `${fail} fail(); export default {}`],
])('bad settings, noticed %s, are all listed, without a stack: exit code 78', async (_, text) => {
  await using project = await createProject({ 'svc.config.mjs': text });
  const { exitCode, stderr } = await project.run('db', 'migrate');
  expect(exitCode).toBe(78);
  expect(stderr).toBe(
    'The settings are not valid:\n  DATABASE_URL is missing: expected a URL\n  PORT is invalid: expected a number\n',
  );
  const { stdout } = await project.run('db', 'migrate', '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    error: {
      code: 'cli.invalid_settings',
      issues: [{ variable: 'DATABASE_URL' }, { variable: 'PORT' }],
    },
  });
});

test('settings are read from the environment that the command was given', async () => {
  const config = `export default {
    settings: (environment) => environment.NOTE,
    database: (settings) => { throw new Error('settings: ' + settings); },
  }`;
  await using project = await createProject({ 'svc.config.mjs': config }, { NOTE: 'here' });
  expect(await project.run('db', 'status')).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: 'svc: settings: here\n',
  });
});

test('a config may be TypeScript', async () => {
  const config = `export default { database: (): { url: string } => { throw new Error('from TypeScript'); } }`;
  await using project = await createProject({ 'svc.config.ts': config });
  expect(await project.run('db', 'status')).toMatchObject({
    exitCode: 1,
    stderr: 'svc: from TypeScript\n',
  });
});

test('with --json an error is an object on the standard output', async () => {
  await using project = await createProject();
  const { exitCode, stdout, stderr } = await project.run('db', 'migrat', '--json');
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({
    ok: false,
    error: { code: 'cli.usage', message: expect.stringContaining('migrat') },
  });
});

test('no error shows the password of the database', async () => {
  const config = `export default { database: () => ({ url: 'postgres://app:hunter%202@127.0.0.1:1/x', ownerUrl: 'postgres://owner:hunter%203@127.0.0.1:1/x' }) }`;
  await using project = await createProject({ 'svc.config.mjs': config });
  const { exitCode, stdout, stderr } = await project.run('db', 'migrate');
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toContain('The database is not available.');
  expect(stderr).not.toMatch(/hunter/);
});

test('the command itself, as a process, says its version and ends with the exit code', () => {
  const bin = fileURLToPath(new URL('../src/bin.ts', import.meta.url));
  const svc = (...argv: string[]) =>
    spawnSync(
      process.execPath,
      ['--conditions=@svc/source', '--no-warnings', '--experimental-strip-types', bin, ...argv],
      { encoding: 'utf8' },
    );
  expect(svc('--version')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
  expect(svc('db', 'nothing')).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringContaining('svc: svc db has no command'),
  });
});
