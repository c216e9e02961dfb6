import { createSigningKey } from '@svc/audit';
import { expect, test } from 'vitest';
import { control } from './client.ts';

test('bad settings end with exit code 78, every fault listed, no value and no stack trace', async () => {
  const { exitCode, stdout, stderr } = await control('app/refuse', {
    environment: {
      PORT: 'eighty',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://user:hunter2@host/db',
      APP_SECRET: 'short',
      TRUSTED_PROXIES: '10.0.0.0/99',
      CORS_ORIGINS: 'https://a.example/',
      PUBLIC_URL: 'https://a.example/?x=1',
      SMTP_URL: 'smtp://u:p@mail.example?tls=off',
      WEBHOOKS_ALLOW: 'https://a.example/all',
      WEBHOOKS_PORTS: '443,70000',
      WEBHOOKS_RETRY_WAITS: '5s,soon',
    },
  });
  expect(exitCode).toBe(78);
  for (const variable of [
    'PORT',
    'LOG_LEVEL',
    'DATABASE_URL',
    'APP_SECRET',
    'TRUSTED_PROXIES',
    'CORS_ORIGINS',
    'PUBLIC_URL',
    'SMTP_URL',
    'WEBHOOKS_ALLOW',
    'WEBHOOKS_PORTS',
    'WEBHOOKS_RETRY_WAITS',
  ])
    expect(stderr).toContain(variable);
  expect(stdout + stderr).not.toMatch(/eighty|loud|hunter2|short|70000|soon|\n\s+at /);
});

test('production has no insecure default: what is missing is listed', async () => {
  const { exitCode, stderr } = await control('app/refuse', {
    environment: { APP_ENV: 'production' },
  });
  expect(exitCode).toBe(78);
  for (const variable of [
    'APP_SECRET',
    'AUTH_ENCRYPTION_KEYS',
    'AUDIT_SIGNING_KEY',
    'DATABASE_URL',
    'PUBLIC_URL',
    'SMTP_URL',
    'MAIL_FROM',
  ])
    expect(stderr).toContain(variable);
});

const signingKey = createSigningKey({ name: 'gate' });

test('the controls of the gate are refused in production', async () => {
  const { exitCode, stderr } = await control('app/refuse', {
    environment: {
      APP_ENV: 'production',
      ACCEPTANCE: 'true',
      ACCEPTANCE_DNS_SERVER: '127.0.0.1:53',
      WEBHOOKS_ALLOW: 'http://127.0.0.1:9000',
      APP_SECRET: 'x'.repeat(32),
      AUTH_ENCRYPTION_KEYS: `k1:${'x'.repeat(32)}`,
      AUDIT_SIGNING_KEY: signingKey.privateKey,
      DATABASE_URL: 'postgres://localhost:1/none',
      PUBLIC_URL: 'https://projects.example',
      SMTP_URL: 'smtp://localhost:1',
      MAIL_FROM: 'a@example.test',
    },
  });
  expect(exitCode).toBe(78);
  for (const variable of ['ACCEPTANCE ', 'ACCEPTANCE_DNS_SERVER', 'WEBHOOKS_ALLOW'])
    expect(stderr).toContain(variable);
});

test('schedules of tasks that do not exist, and a queue that cannot join transactions, are refused', async () => {
  const refused = async (environment: Record<string, string>) => {
    const { exitCode, stdout, stderr } = await control('app/refuse', { environment });
    expect({ exitCode, output: stdout + stderr }).toMatchObject({ exitCode: 78 });
    return stderr;
  };
  const entry = { name: 'often', task: 'nobody.knows', every: '1m' };
  const written = await refused({ JOBS_SCHEDULE_JSON: JSON.stringify([entry]) });
  expect(written).toMatch(/JOBS_SCHEDULE_JSON.*nobody\.knows/);
  expect(await refused({ JOBS_DRIVER: 'memory' })).toContain('JOBS_DRIVER');
});
