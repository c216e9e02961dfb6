import { auditSettings } from '@svc/audit';
import { authSettings } from '@svc/auth';
import {
  type Environment,
  InvalidSettings,
  parseSettings,
  setting,
  type SettingIssue,
  type Settings,
  toMs,
} from '@svc/core';
import { databaseSettings } from '@svc/db';
import { httpSettings } from '@svc/http';
import { jobsSettings, scheduleSettings } from '@svc/jobs';
import { mailSettings } from '@svc/mail';
import { obsSettings } from '@svc/obs';
import { tenancySettings } from '@svc/tenancy';
import * as v from 'valibot';
import { limitSettings } from './limit-settings.ts';
import { webhookSettings } from './webhooks/settings.ts';

const localSecret = 'only-for-local-use-only-for-local-use';

/** Every variable the app understands; `.env.example` is generated from it. */
export const settingsSchema = v.object({
  APP_ENV: v.optional(
    setting.oneOf('where the app runs', ['local', 'test', 'production']),
    'local',
  ),
  HOST: v.optional(setting.text('the address to listen on'), '127.0.0.1'),
  PORT: v.optional(setting.integer('the port to listen on', 0, 65_535), '8000'),
  PUBLIC_URL: v.optional(
    v.pipe(
      setting.url(
        'the URL people reach the app at, such as https://projects.example; links in mails begin with it; http://localhost:PORT where absent',
        ['http', 'https'],
      ),
      v.check((value) => /^https?:\/\/[^/?#@]+\/?$/.test(value)),
      v.metadata({ requiredInProduction: true }),
    ),
  ),
  ...databaseSettings,
  DATABASE_URL: v.optional(databaseSettings.DATABASE_URL, 'pglite:.data/projects'),
  REDIS_URL: v.optional(
    setting.url('a Redis server; optional', ['redis', 'rediss'], { secret: true }),
  ),
  ...mailSettings,
  ...auditSettings,
  ...authSettings,
  AUTH_ENCRYPTION_KEYS: v.optional(authSettings.AUTH_ENCRYPTION_KEYS, `local:${localSecret}`),
  APP_SECRET: v.optional(
    setting.secret('a secret of at least 32 characters, for signing cursors', {
      minLength: 32,
      requiredInProduction: true,
    }),
    localSecret,
  ),
  OIDC_ISSUER: v.optional(
    setting.url('an OpenID provider to sign in at; none where absent', ['https', 'http']),
  ),
  OIDC_CLIENT_ID: v.optional(setting.text('what the provider knows the app as')),
  OIDC_CLIENT_SECRET: v.optional(setting.secret('what the app proves that with')),
  OIDC_TRUSTED_DOMAINS: v.optional(
    setting.list('domains whose addresses the provider vouches for, parted by commas'),
    '',
  ),
  ...limitSettings,
  ...jobsSettings,
  ...scheduleSettings,
  BACKGROUND_IN_WEB: v.optional(
    setting.flag(
      'whether the web process also runs jobs and schedules; false where worker.ts and scheduler.ts do',
    ),
    'true',
  ),
  ...tenancySettings,
  FREE_PLAN_PROJECTS: v.optional(
    setting.integer('how many projects a tenant may have on the free plan', 1, 1_000_000),
    '10',
  ),
  PRO_PLAN_PROJECTS: v.optional(
    setting.integer('how many projects a tenant may have on the pro plan', 1, 1_000_000),
    '1000',
  ),
  ...webhookSettings,
  ...httpSettings,
  ...obsSettings,
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
  SHUTDOWN_DELAY_MS: v.optional(
    setting.integer(
      'how long to go on serving after SIGTERM, so that balancers see readiness off, in milliseconds',
      0,
      600_000,
    ),
    '0',
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
  ACCEPTANCE_DNS_SERVER: v.optional(
    v.pipe(
      setting.text(
        'a name server that the promotion gate has for names of webhook endpoints, as address:port; refused in production',
      ),
      v.regex(/^127\.0\.0\.1:\d{1,5}$/),
    ),
  ),
});

export type AppSettings = Omit<Settings<typeof settingsSchema>, 'publicUrl'> & {
  readonly publicUrl: string;
};

/** The settings of the process. @throws {InvalidSettings} listing every fault. */
export function readSettings(environment: Environment = process.env): AppSettings {
  const parsed = parseSettings(settingsSchema, environment);
  // On this machine the app is where it listens, unless something else is said.
  const settings = { ...parsed, publicUrl: parsed.publicUrl ?? `http://localhost:${parsed.port}` };
  const issues = contradictions(settings);
  if (issues.length > 0) throw new InvalidSettings(issues);
  return settings;
}

/** What each variable alone does not show. */
function contradictions(settings: AppSettings) {
  const { acceptance, appEnv, bodyTimeoutMs, handlerTimeoutMs } = settings;
  const { authSessionIdle, authSessionAbsolute } = settings;
  const production = appEnv === 'production';
  const rules: [boolean, string, string][] = [
    [acceptance && production, 'ACCEPTANCE', 'false where APP_ENV is production'],
    [
      settings.acceptanceDnsServer !== undefined && production,
      'ACCEPTANCE_DNS_SERVER',
      'nothing where APP_ENV is production',
    ],
    [
      production && settings.webhooksAllow.some((origin) => origin.startsWith('http:')),
      'WEBHOOKS_ALLOW',
      'https origins where APP_ENV is production',
    ],
    [toMs(settings.webhooksTimeout) === 0, 'WEBHOOKS_TIMEOUT', 'more than nothing'],
    [
      production && settings.appSecret === localSecret,
      'APP_SECRET',
      'a secret of your own where APP_ENV is production',
    ],
    [
      production && settings.authEncryptionKeys.some(({ secret }) => secret === localSecret),
      'AUTH_ENCRYPTION_KEYS',
      'keys of your own where APP_ENV is production',
    ],
    [
      production && /^http:\/\/(?!localhost[:/]|localhost$)/.test(settings.publicUrl),
      'PUBLIC_URL',
      'an https URL where APP_ENV is production',
    ],
    [
      settings.oidcIssuer !== undefined &&
        (settings.oidcClientId === undefined || settings.oidcClientSecret === undefined),
      'OIDC_ISSUER',
      'OIDC_CLIENT_ID and OIDC_CLIENT_SECRET beside it',
    ],
    [
      toMs(settings.authLockoutFirstWait) === 0 ||
        toMs(settings.authLockoutFirstWait) > toMs(settings.authLockoutMaxWait),
      'AUTH_LOCKOUT_FIRST_WAIT',
      'more than nothing and at most AUTH_LOCKOUT_MAX_WAIT',
    ],
    [
      settings.jobsDriver !== 'postgres',
      'JOBS_DRIVER',
      'postgres: the app queues jobs in its transactions',
    ],
    [settings.abuseSlowAt > settings.abuseBlockAt, 'ABUSE_SLOW_AT', 'at most ABUSE_BLOCK_AT'],
    [bodyTimeoutMs >= handlerTimeoutMs, 'BODY_TIMEOUT_MS', 'less than HANDLER_TIMEOUT_MS'],
    [
      toMs(authSessionIdle) === 0 || toMs(authSessionIdle) > toMs(authSessionAbsolute),
      'AUTH_SESSION_IDLE',
      'more than nothing and at most AUTH_SESSION_ABSOLUTE',
    ],
  ];
  return rules
    .filter(([broken]) => broken)
    .map(([, variable, expected]): SettingIssue => ({ variable, problem: 'invalid', expected }));
}
