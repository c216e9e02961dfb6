import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createObs, createRedaction, createScopes } from '@svc/obs';
import { observe } from '@svc/obs/hono';
import { createLogger } from '@svc/obs/pino';
import { type HttpEnv, stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';

type Line = Record<string, unknown> & { msg: string };

function recorded(options: Parameters<typeof createLogger>[0] = {}) {
  const texts: string[] = [];
  const destination = { write: (text: string) => void texts.push(text) };
  const logger = createLogger({ level: 'debug', ...options, destination });
  return { logger, texts, lines: () => texts.map((text) => JSON.parse(text) as Line) };
}

test('a line bears the ids of the request, the trace, the tenant and the principal, each once', async () => {
  const scopes = createScopes();
  const { logger, texts, lines } = recorded({ scopes });
  const obs = createObs({ scopes, trust: 'mesh' });
  const app = new Hono<HttpEnv>();
  app.use(
    observe(obs, {
      identify: (c) => ({ tenantId: c.get('tenant' as never), principalId: 'user-1' }),
    }),
  );
  stack(app, { logger, quietRoutes: ['/quiet', '/broken'] });
  app.get('/loud', async (c) => {
    c.set('tenant' as never, 'tenant-1' as never);
    c.get('logger').child({ tenantId: 'tenant-1' }).info({}, 'by the logger of the request');
    await new Promise((resolve) => setImmediate(resolve));
    logger.info({ deep: true }, 'by any other logger');
    return c.text('done');
  });
  app.get('/quiet', (c) => c.text('done'));
  app.get('/broken', () => {
    throw new Error('broken');
  });
  const traceparent = '00-12345678901234567890123456789012-1234567890123456-01';
  await app.request('/loud', { headers: { 'x-request-id': 'request-1', traceparent } });
  const ids = {
    requestId: 'request-1',
    traceId: '12345678901234567890123456789012',
    tenantId: 'tenant-1',
    principalId: 'user-1',
  };
  expect(lines()).toMatchObject([
    { ...ids, msg: 'by the logger of the request' },
    { ...ids, msg: 'by any other logger' },
    { ...ids, msg: 'request', route: '/loud' },
  ]);
  for (const text of texts)
    for (const name of Object.keys(ids)) expect(text.split(`"${name}":`)).toHaveLength(2);

  texts.length = 0;
  await app.request('/quiet');
  expect(lines()).toEqual([]);
  await app.request('/broken');
  expect(lines().map(({ msg, level }) => [msg, level])).toContainEqual(['request', 40]);
  logger.info({}, 'outside of every request');
  expect(Object.keys(lines().at(-1) ?? {}).toSorted()).toEqual(['level', 'msg', 'time']);
});

describe('secrets', () => {
  const canary = 'canary-7f3a9b2c';
  const jwt = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${canary}`;
  // What each package handles, under the names it uses.
  const byName = [
    // auth
    'password',
    'newPassword',
    'current_password',
    'token',
    'refreshToken',
    'access_token',
    'idToken',
    'id_token',
    'recoveryCodes',
    'totpSecret',
    'clientSecret',
    'apiKey',
    'x-api-key',
    'sessionToken',
    'privateKey',
    // http
    'authorization',
    'Authorization',
    'proxy-authorization',
    'cookie',
    'set-cookie',
    'Set-Cookie',
    'csrf',
    // core, db, mail, redis
    'encryptionKeys',
    'signingKey',
    'APP_SECRET',
    'DATABASE_URL',
    'redisUrl',
    'SMTP_URL',
    'credentials',
    // webhooks, tenancy
    'signingSecret',
    'secrets',
    'invitationToken',
    'bypassToken',
    'metricsToken',
  ];
  test.each(byName)('under the name %s are not logged, however deep', (name) => {
    const { logger, texts } = recorded();
    logger.info({ [name]: canary }, 'flat');
    logger.info({ a: [{ b: { [name]: { of: [canary] } } }] }, 'deep');
    logger.child({ [name]: canary }).info({}, 'bound');
    logger.info({ headers: new Headers({ [name.replaceAll('_', '-')]: canary }) }, 'headers');
    expect(texts).toHaveLength(4);
    expect(texts.join('')).not.toContain(canary);
    expect(texts.join('').split('[redacted]')).toHaveLength(5);
  });

  const byForm: [string, string][] = [
    ['a URL with credentials', `postgres://app:${canary}@db.example/projects`],
    ['a URL with a user alone', `redis://${canary}@cache`],
    ['a bearer', `authorization was Bearer ${canary}`],
    ['a JSON Web Token', `got ${jwt} instead`],
    ['a secret of a webhook', `whsec_${canary.replaceAll('-', '')}AAAAAAAAAAAAAAAA`],
    ['an API key', `svc_${'0'.repeat(22)}_${canary.replaceAll('-', '')}AAAAAAAAAAAAAAAAAAAAAAAA`],
    ['a link of a mail', `https://projects.example/auth/verify?token=${canary}&x=1`],
    ['a private key', `-----BEGIN PRIVATE KEY-----\n${canary}\n-----END PRIVATE KEY-----`],
  ];
  test.each(byForm)('in the form of %s are not logged, wherever they stand', (_, text) => {
    const { logger, texts } = recorded();
    const cause = Object.assign(new Error(text), { params: [canary], query: canary });
    logger.info({ note: text, list: [text], url: URL.canParse(text) ? new URL(text) : text }, text);
    logger.error({ err: new AggregateError([cause], text, { cause }) }, 'failed');
    logger.child({ note: text }).warn({}, 'bound');
    expect(texts).toHaveLength(3);
    expect(texts.join('')).not.toContain(canary);
    expect(texts.join('')).not.toContain(canary.replaceAll('-', ''));
  });

  test('what is no secret stays as it is', () => {
    const fields = {
      tokens: 12,
      password: null,
      route: '/auth/password/reset',
      code: 'auth.invalid_credentials',
      url: 'https://projects.example:8000/a?page=2',
      at: new Date(0),
      id: '0199a000-0000-7000-8000-000000000000',
    };
    expect(createRedaction().fields(fields)).toBe(fields);
  });

  test('own names and expressions are added', () => {
    const { fields } = createRedaction({ names: ['iban'], patterns: [/\b\d{4} \d{4}\b/g] });
    expect(fields({ IBAN: 'DE02', note: 'of 1234 5678' })).toEqual({
      IBAN: '[redacted]',
      note: 'of [redacted]',
    });
  });

  test('a circle, a chain without end and an endless list end', () => {
    const { logger, lines } = recorded();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const error = new Error('x');
    error.cause = error;
    logger.info({ circle, err: error, list: Array.from({ length: 5000 }, () => 'x') }, 'ended');
    expect(lines()).toMatchObject([{ msg: 'ended' }]);
  });
});

const root = join(import.meta.dirname, '../../..');
const node = join(root, 'node_modules/.bin/node');
const bun = join(root, 'node_modules/bun/bin/bun.exe');
const program = join(import.meta.dirname, 'programs/last-line.ts');
const runtimes: [string, string, string[]][] = [
  ['Node', node, ['--conditions=@svc/source']],
  ['Bun', bun, ['--conditions=@svc/source']],
];

describe.each(runtimes)('on %s', (_, runtime, flags) => {
  const run = async (way: string, signal?: 'SIGTERM') => {
    const child = spawn(runtime, [...flags, program, way], { stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (signal !== undefined && output.length > 20_000) child.kill(signal);
    });
    await once(child, 'close');
    // Every line is whole.
    return output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  };

  test('the last line is written when SIGTERM ends the process, each time', async () => {
    for (let round = 0; round < 5; round += 1)
      expect((await run('forever', 'SIGTERM')).at(-1)).toMatchObject({ msg: 'the last line' });
  });

  test.each(['throw', 'reject'])(
    'the error that nobody caught is the last line (%s)',
    async (way) => {
      const last = (await run(way)).at(-1);
      expect(last).toMatchObject({
        level: 50,
        err: { message: expect.stringContaining('the last line') },
      });
      expect(JSON.stringify(last)).not.toContain('hunter2');
    },
  );

  test('process.exit loses no line', async () => {
    const lines = await run('exit');
    expect(lines.at(-1)?.msg).toBe('the last line');
    expect(lines).toHaveLength(501);
  });
});
