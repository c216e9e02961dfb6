import { expect, test } from 'vitest';
import * as v from 'valibot';
import { describeSettings, InvalidSettings, parseSettings, setting } from '../src/index.ts';

const schema = v.object({
  APP_ENV: v.optional(setting.oneOf('where it runs', ['local', 'test', 'production']), 'local'),
  PORT: v.optional(setting.integer('the port', 0, 65_535), '8000'),
  APP_SECRET: v.optional(
    setting.secret('a secret of at least 32 characters', {
      minLength: 32,
      requiredInProduction: true,
    }),
    'x'.repeat(32),
  ),
  DATABASE_URL: setting.url('a database', ['postgres', 'pglite'], { secret: true }),
  TRUSTED_PROXIES: v.optional(setting.list('networks'), ''),
  SMTP_URL: v.optional(setting.url('a mail server', ['smtp', 'smtps'])),
});

const failing = (environment: Record<string, string>, readFile?: (path: string) => string) => {
  try {
    parseSettings(schema, environment, readFile && { readFile });
  } catch (error) {
    if (error instanceof InvalidSettings) return error;
  }
  throw new Error('the settings were accepted');
};

test('variables become camelCase settings with their types and defaults', () => {
  const settings = parseSettings(schema, {
    DATABASE_URL: 'pglite:data',
    PORT: '0',
    TRUSTED_PROXIES: '10.0.0.0/8, ::1',
  });
  expect(settings).toEqual({
    appEnv: 'local',
    port: 0,
    appSecret: 'x'.repeat(32),
    databaseUrl: 'pglite:data',
    trustedProxies: ['10.0.0.0/8', '::1'],
    smtpUrl: undefined,
  });
});

test('every fault is listed at once, and no value is in the message', () => {
  const error = failing({ PORT: '8o8o', APP_SECRET: 'hunter2', SMTP_URL: 'http://user:pw@host' });
  expect(error.issues.map((i) => [i.variable, i.problem])).toEqual([
    ['PORT', 'invalid'],
    ['APP_SECRET', 'invalid'],
    ['DATABASE_URL', 'missing'],
    ['SMTP_URL', 'invalid'],
  ]);
  expect(error.message).toContain('PORT is invalid: expected the port (0 to 65535)');
  for (const value of ['8o8o', 'hunter2', 'user:pw']) expect(error.message).not.toContain(value);
});

test('an empty variable counts as absent', () => {
  expect(parseSettings(schema, { DATABASE_URL: 'pglite:x', PORT: '' }).port).toBe(8000);
  expect(failing({ DATABASE_URL: '' }).issues).toMatchObject([
    { variable: 'DATABASE_URL', problem: 'missing' },
  ]);
});

test('in production a required setting has no default', () => {
  expect(failing({ APP_ENV: 'production', DATABASE_URL: 'pglite:x' }).issues).toMatchObject([
    { variable: 'APP_SECRET', problem: 'missing' },
  ]);
});

test('a secret is read from the file that NAME_FILE names, without its last line end', () => {
  const readFile = (path: string) => (path === '/run/secrets/url' ? 'postgres://db/app\n' : '');
  expect(
    parseSettings(schema, { DATABASE_URL_FILE: '/run/secrets/url' }, { readFile }).databaseUrl,
  ).toBe('postgres://db/app');
});

test('an unreadable file, both forms at once, and a file for what is no secret are faults', () => {
  const unreadable = () => {
    throw new Error('ENOENT /run/secrets/url');
  };
  expect(failing({ DATABASE_URL_FILE: 'gone' }, unreadable).issues).toMatchObject([
    { variable: 'DATABASE_URL_FILE', problem: 'unreadable' },
  ]);
  expect(failing({ DATABASE_URL: 'pglite:x', DATABASE_URL_FILE: 'y' }).issues).toMatchObject([
    { variable: 'DATABASE_URL', problem: 'invalid' },
  ]);
  expect(parseSettings(schema, { DATABASE_URL: 'pglite:x', PORT_FILE: 'y' }).port).toBe(8000);
});

test('a duration keeps its unit, and a bare number is none', () => {
  const idle = v.object({ IDLE: setting.duration('how long') });
  expect(parseSettings(idle, { IDLE: '14d' })).toEqual({ idle: '14d' });
  for (const IDLE of ['14', 'd', '-1d', '1w'])
    expect(() => parseSettings(idle, { IDLE })).toThrow(InvalidSettings);
});

test('keys are a list of ids with secrets that are long enough', () => {
  const keys = v.object({ KEYS: setting.keys('keys') });
  const secret = 'x'.repeat(32);
  expect(parseSettings(keys, { KEYS: `new:${secret},old:${secret}1` })).toEqual({
    keys: [
      { id: 'new', secret },
      { id: 'old', secret: `${secret}1` },
    ],
  });
  for (const KEYS of [secret, 'a:short', `a b:${secret}`, `a:${secret},`, `a:${secret}:b`])
    expect(() => parseSettings(keys, { KEYS })).toThrow(InvalidSettings);
});

test('a schema describes its variables', () => {
  expect(describeSettings(schema)[2]).toEqual({
    variable: 'APP_SECRET',
    description: 'a secret of at least 32 characters',
    default: 'x'.repeat(32),
    secret: true,
    requiredInProduction: true,
  });
  expect(describeSettings(schema)[3]).toMatchObject({
    variable: 'DATABASE_URL',
    default: undefined,
    secret: true,
  });
});
