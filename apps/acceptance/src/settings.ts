import { authSettings } from '@svc/auth';
import { InvalidSettings, parseSettings, setting, type Environment } from '@svc/core';
import { databaseSettings } from '@svc/db';
import { mailSettings } from '@svc/mail';
import * as v from 'valibot';

/** Every variable the app understands; `.env.example` is generated from it. */
export const settingsSchema = v.object({
  APP_ENV: v.optional(
    setting.oneOf('where the app runs', ['local', 'test', 'production']),
    'local',
  ),
  HOST: v.optional(setting.text('the address to listen on'), '127.0.0.1'),
  PORT: v.optional(setting.integer('the port to listen on', 0, 65_535), '8000'),
  PUBLIC_URL: v.optional(
    setting.url(
      'the URL people reach the app at; links in mails begin with it',
      ['http', 'https'],
      {
        requiredInProduction: true,
      },
    ),
    'http://localhost:8000',
  ),
  ...databaseSettings,
  DATABASE_URL: v.optional(databaseSettings.DATABASE_URL, 'pglite:.data/projects'),
  REDIS_URL: v.optional(
    setting.url('a Redis server; optional', ['redis', 'rediss'], { secret: true }),
  ),
  ...mailSettings,
  ...authSettings,
  APP_SECRET: v.optional(
    setting.secret('a secret of at least 32 characters, for signing cursors', {
      minLength: 32,
      requiredInProduction: true,
    }),
    'only-for-local-use-only-for-local-use',
  ),
  TRUSTED_PROXIES: v.optional(
    setting.list('networks (CIDR) whose X-Forwarded-For is believed, parted by commas'),
    '',
  ),
  CORS_ORIGINS: v.optional(
    setting.list('origins whose pages may call the API with credentials, parted by commas'),
    '',
  ),
  LOG_LEVEL: v.optional(
    setting.oneOf('the least level that is logged', ['debug', 'info', 'warn', 'error', 'silent']),
    'info',
  ),
  LOG_FORMAT: v.optional(setting.oneOf('how lines are logged', ['json', 'pretty']), 'json'),
  BODY_LIMIT_BYTES: v.optional(
    setting.integer('the largest request body, in bytes', 1024, 1_073_741_824),
    '1048576',
  ),
  BODY_TIMEOUT_MS: v.optional(
    setting.integer('how long a request body may take, in milliseconds', 100, 600_000),
    '15000',
  ),
  HANDLER_TIMEOUT_MS: v.optional(
    setting.integer('how long an answer may take, in milliseconds', 100, 600_000),
    '30000',
  ),
  SHUTDOWN_GRACE_MS: v.optional(
    setting.integer(
      'how long requests in flight may finish on SIGTERM, in milliseconds',
      0,
      600_000,
    ),
    '10000',
  ),
  ACCEPTANCE: v.optional(
    setting.flag('mounts the controls of the promotion gate; refused in production'),
    'false',
  ),
});

export type AppSettings = ReturnType<typeof readSettings>;

/** The settings of the process. @throws {InvalidSettings} listing every fault. */
export function readSettings(environment: Environment = process.env) {
  const settings = parseSettings(settingsSchema, environment);
  const { acceptance, appEnv, bodyTimeoutMs, handlerTimeoutMs } = settings;
  if (acceptance && appEnv === 'production') {
    throw new InvalidSettings([
      { variable: 'ACCEPTANCE', problem: 'invalid', expected: 'false where APP_ENV is production' },
    ]);
  }
  if (bodyTimeoutMs >= handlerTimeoutMs) {
    throw new InvalidSettings([
      { variable: 'BODY_TIMEOUT_MS', problem: 'invalid', expected: 'less than HANDLER_TIMEOUT_MS' },
    ]);
  }
  return settings;
}
