import { createAudit, createNoteSigner, createSigningKey } from '@svc/audit';
import { auditMigrations } from '@svc/audit/migrations';
import { databaseTest } from '@svc/db/testing';
import { expect } from 'vitest';
import { createProject } from './project.ts';

const test = databaseTest([auditMigrations]);
const key = createSigningKey({ name: 'audit.example.com' });

/** An export, and the checkpoint of its end. */
async function exported(db: Parameters<typeof createAudit>[0]['db']) {
  const audit = createAudit({ db, signing: { privateKey: key.privateKey } });
  for (const id of ['a', 'b', 'c'])
    await audit.append({ type: 'projects.deleted', actor: { type: 'user', id } });
  await audit.seal();
  let text = '';
  for await (const chunk of audit.export({ format: 'ndjson', tenantId: 'every' })) text += chunk;
  const { items } = await audit.checkpoints({ tenantId: null });
  return { text, note: items[0]?.note as string };
}

test('an untouched export is valid: exit code 0', async ({ db }) => {
  const { text, note } = await exported(db);
  await using project = await createProject({ 'log.ndjson': text, 'kept.txt': note });
  const verify = (...flags: string[]) =>
    project.run('audit', 'verify', 'log.ndjson', '--public-key', key.publicKey, ...flags);
  const { exitCode, stdout, stderr } = await verify('--checkpoint', 'kept.txt', '--every');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toMatch(
    /^service: \d+ entries, ends with [0-9a-f]{64}, signed by audit.example.com\+/,
  );
  expect(stdout).toMatch(/\nvalid: \d+ entries read/);
  const json = await verify('--tenant', 'service', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({
    ok: true,
    valid: true,
    signed: true,
    problems: [],
  });
});

test('checkpoints are read from a log, too, and values that were taken out can be said to be', async ({
  db,
}) => {
  const audit = createAudit({ db, signing: { privateKey: key.privateKey } });
  await audit.append({
    type: 'auth.login.failed',
    actor: { type: 'anonymous', id: null },
    personal: { address: '192.0.2.1' },
  });
  const { text, note } = await exported(db);
  const other = note.replace(/\n\d+\n/, '\n999\n');
  await using project = await createProject({
    'log.ndjson': text,
    'bare.ndjson': text.replace(/,"personal":\{"address": .*\}\}$/m, '}'),
    'app.log': `starting\n${JSON.stringify({ level: 'info', checkpoint: note })}\n{"level":"info"}\n`,
    'other.log': `${JSON.stringify({ level: 'info', checkpoint: other })}\n`,
  });
  const verify = (file: string, ...flags: string[]) =>
    project.run('audit', 'verify', file, '--public-key', key.publicKey, ...flags);
  const short = await verify('log.ndjson', '--checkpoint', 'other.log');
  expect(short.stdout).toContain('truncated');
  expect((await verify('bare.ndjson')).stdout).toContain('erased_unrecorded');
  expect(await verify('bare.ndjson', '--withheld')).toMatchObject({ exitCode: 0 });
  expect(await verify('log.ndjson', '--checkpoint', 'app.log')).toMatchObject({ exitCode: 0 });
});

test('a changed, a shortened, an empty, a partial and a foreign export are not valid: exit code 1', async ({
  db,
}) => {
  const { text, note } = await exported(db);
  const other = createSigningKey({ name: 'audit.example.com' });
  await using project = await createProject({
    'edited.ndjson': text.replace('projects.deleted', 'projects.created'),
    'short.ndjson': text.trimEnd().split('\n').slice(0, -1).join('\n'),
    'log.ndjson': text,
    'empty.ndjson': '',
    'selection.ndjson': text
      .split('\n')
      .filter((line) => line.startsWith('{"entry":'))
      .join('\n'),
    'older.ndjson': '{"chain":{"tenantId":null,"head":null,"purged":null,"frontier":[]}}\n',
    'kept.txt': note,
  });
  const verify = (file: string, publicKey: string, ...flags: string[]) =>
    project.run('audit', 'verify', file, '--public-key', publicKey, ...flags);
  for (const [kind, result] of [
    ['edited', await verify('edited.ndjson', key.publicKey)],
    ['truncated', await verify('short.ndjson', key.publicKey)],
    ['bad_signature', await verify('log.ndjson', other.publicKey)],
    ['the file holds no log', await verify('empty.ndjson', key.publicKey)],
    ['this is a selection', await verify('selection.ndjson', key.publicKey)],
    ['truncated', await verify('older.ndjson', key.publicKey, '--checkpoint', 'kept.txt')],
  ] as const) {
    expect(result).toMatchObject({ exitCode: 1, stderr: '' });
    expect(result.stdout).toContain(kind);
    expect(result.stdout).toContain('NOT VALID');
  }
  const json = await verify('edited.ndjson', key.publicKey, '--json');
  expect(json.exitCode).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, valid: false });
});

test.for([
  [['verify'], 'which file'],
  [['verify', 'log.ndjson'], '--public-key'],
  [['verify', 'log.ndjson', '--public-key', 'x'], '--public-key'],
  [['verify', 'none.ndjson', '--public-key', key.publicKey], 'none.ndjson cannot be read'],
  [
    ['verify', 'log.ndjson', '--public-key', key.publicKey, '--checkpoint', 'none'],
    'cannot be read',
  ],
  [['verify', 'a', 'b'], "takes no 'b'"],
] as const)('svc audit %j is a wrong call: exit code 2', async ([argv, message]) => {
  await using project = await createProject({ 'log.ndjson': '' });
  const { exitCode, stdout, stderr } = await project.run('audit', ...argv);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toContain(message);
});

test('svc audit key makes a pair that signs and verifies, and refuses a name that is none', async () => {
  await using project = await createProject({});
  const made = await project.run('audit', 'key', 'audit.example.com/2026', '--json');
  const { privateKey, publicKey } = JSON.parse(made.stdout) as Record<string, string>;
  expect(made.exitCode).toBe(0);
  expect(createNoteSigner(privateKey as string).publicKey).toBe(publicKey);
  const text = await project.run('audit', 'key', 'a');
  expect(text.stdout).toMatch(/^AUDIT_SIGNING_KEY=PRIVATE\+KEY\+a\+/);
  for (const argv of [['key'], ['key', 'a b']])
    expect(await project.run('audit', ...argv)).toMatchObject({ exitCode: 2, stdout: '' });
});
