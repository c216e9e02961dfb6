import { connect } from '@svc/db';
import { startPostgres } from '@svc/db/testing';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { createProject } from './project.ts';

const config = (database: string) => `export default {
  settings: (environment) => environment,
  database: (settings) => (${database}),
  migrations: [
    { schema: 'svc_one', steps: [
      { name: '001_things', up: ['create table svc_one.things (id int primary key)'], down: ['drop table svc_one.things'] },
      { name: '002_names', up: ['alter table svc_one.things add name text'], down: ['alter table svc_one.things drop name'], breaking: true },
    ] },
    { schema: 'app', steps: [{ name: '001_notes', up: ['create table app.notes (id int)'], down: ['drop table app.notes'] }] },
  ],
  seeds: [{ name: 'first thing', run: async (trx) => { await trx.insertInto('svc_one.things').values({ id: 1, name: 'one' }).execute(); } }],
}`;

const onPglite = {
  'svc.config.mjs': config(`{ url: 'pglite:' + settings.FOLDER, appRole: 'app_role' }`),
};

const openProject = async (
  files: Readonly<Record<string, string>>,
  environment: Record<string, string> = {},
) => {
  const project = await createProject(files, environment);
  environment['FOLDER'] = `${project.folder}/data`;
  return project;
};

describe('on PGlite', () => {
  test(
    'migrations are applied once, shown, seeded once and undone, newest first',
    { timeout: 60_000 },
    async () => {
      await using project = await openProject(onPglite);
      expect(await project.run('db', 'status')).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining('3 steps, 3 pending'),
      });
      expect(await project.run('db', 'migrate')).toEqual({
        exitCode: 0,
        stdout: 'applied svc_one/001_things\napplied svc_one/002_names\napplied app/001_notes\n',
        stderr: '',
      });
      expect(await project.run('db', 'migrate')).toMatchObject({
        exitCode: 0,
        stdout: 'Nothing to apply.\n',
      });
      expect(await project.run('db', 'seed')).toMatchObject({
        exitCode: 0,
        stdout: 'seeded first thing\n',
      });
      expect(await project.run('db', 'seed')).toMatchObject({
        exitCode: 0,
        stdout: 'Nothing to seed.\n',
      });

      const { stdout } = await project.run('db', 'status', '--json');
      expect(JSON.parse(stdout)).toMatchObject({
        ok: true,
        pending: 0,
        steps: [
          {
            schema: 'svc_one',
            name: '001_things',
            state: 'applied',
            appliedAt: expect.stringMatching(/^\d{4}-.*Z$/),
            breaking: false,
          },
          { schema: 'svc_one', name: '002_names', state: 'applied', breaking: true },
          { schema: 'app', name: '001_notes', state: 'applied' },
        ],
      });

      expect(await project.run('db', 'rollback')).toMatchObject({
        exitCode: 0,
        stdout: 'undone app/001_notes\n',
      });
      const undone = await project.run('db', 'rollback', '--steps', '9', '--json');
      expect(JSON.parse(undone.stdout)).toEqual({
        ok: true,
        undone: [
          { schema: 'svc_one', name: '002_names' },
          { schema: 'svc_one', name: '001_things' },
        ],
      });
      expect(await project.run('db', 'rollback')).toMatchObject({
        exitCode: 0,
        stdout: 'Nothing to undo.\n',
      });
    },
  );

  test('the role of the app is granted the tables', { timeout: 60_000 }, async () => {
    const environment: Record<string, string> = {};
    await using project = await openProject(onPglite, environment);
    await project.run('db', 'migrate');
    await project.run('db', 'seed');
    await using connection = await connect(`pglite:${environment['FOLDER']}`, { role: 'app_role' });
    const { rows } = await sql`select current_user::text as role, name from svc_one.things`.execute(
      connection.db,
    );
    expect(rows).toEqual([{ role: 'app_role', name: 'one' }]);
  });

  test('in production a rollback needs the name of the database', { timeout: 60_000 }, async () => {
    await using project = await openProject(onPglite, { APP_ENV: 'production' });
    await project.run('db', 'migrate');
    const refused = await project.run('db', 'rollback');
    expect(refused).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('--yes-i-mean-production data\n'),
    });
    expect(await project.run('db', 'rollback', '--yes-i-mean-production', 'other')).toMatchObject({
      exitCode: 1,
    });
    expect(await project.run('db', 'status')).toMatchObject({
      stdout: expect.stringContaining('0 pending'),
    });
    const meant = await project.run('db', 'rollback', '--yes-i-mean-production', 'data');
    expect(meant).toMatchObject({ exitCode: 0, stdout: 'undone app/001_notes\n' });
  });

  test(
    'a migration that fails is named: exit code 1, and no stack',
    { timeout: 60_000 },
    async () => {
      const broken = `export default { database: () => ({ url: 'pglite://memory' }), migrations: [
      { schema: 'app', steps: [{ name: '001_bad', up: ['create tabel x'], down: [] }] } ] }`;
      await using project = await openProject({ 'svc.config.mjs': broken });
      const { exitCode, stderr } = await project.run('db', 'migrate');
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/^svc: .*app\/001_bad.*syntax error/);
      expect(stderr).not.toMatch(/^\s+at /m);
    },
  );
});

test(
  'an error of the app that quotes the URL of the database is shown without it',
  { timeout: 60_000 },
  async () => {
    const quoting = `const url = 'postgres://app:a%22b-hunter@db.example.com/x';
    const fail = () => { throw new Error('cannot use ' + url + ' with a"b-hunter'); };
    export default { database: () => ({ url, ownerUrl: 'pglite://memory' }), seeds: [{ name: 'bad', run: fail }] }`;
    await using project = await openProject({ 'svc.config.mjs': quoting });
    expect(await project.run('db', 'seed')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'svc: cannot use *** with ***\n',
    });
    expect((await project.run('db', 'seed', '--json')).stdout).not.toContain('hunter');
  },
);

test('on PostgreSQL the owner migrates, and a rollback in production asks for the name of the database', async () => {
  await using server = await startPostgres();
  const { ownerUrl } = server;
  await using project = await openProject(
    { 'svc.config.mjs': config('{ url: settings.URL, ownerUrl: settings.OWNER_URL }') },
    {
      URL: 'postgres://nobody@127.0.0.1:1/none',
      OWNER_URL: ownerUrl,
      APP_ENV: 'production',
    },
  );
  expect(await project.run('db', 'migrate')).toMatchObject({
    exitCode: 0,
    stderr: '',
    stdout: expect.stringContaining('applied app/001_notes'),
  });
  const refused = await project.run('db', 'rollback');
  const database = new URL(ownerUrl).pathname.slice(1);
  expect(refused).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining(`--yes-i-mean-production ${database}`),
  });
  const undone = await project.run(
    'db',
    'rollback',
    '--steps',
    '3',
    '--yes-i-mean-production',
    database,
  );
  expect(undone).toMatchObject({
    exitCode: 0,
    stdout: 'undone app/001_notes\nundone svc_one/002_names\nundone svc_one/001_things\n',
  });
});
