import { createCipher, createCursors, type Logger, systemClock } from '@svc/core';
import { createAudit, logAnchor } from '@svc/audit';
import { createAuth, haveIBeenPwned } from '@svc/auth';
import { createOAuth } from '@svc/auth/oauth';
import { createPasskeys } from '@svc/auth/passkeys';
import { createServiceTokens } from '@svc/auth/tokens';
import { assertAppRole, connect } from '@svc/db';
import { createHealth, type Stoppable } from '@svc/http';
import { createIdempotency } from '@svc/idempotency';
import { postgresStore } from '@svc/idempotency/postgres';
import { createMailer } from '@svc/mail';
import { createRateLimit, memoryStore } from '@svc/ratelimit';
import { redisStore } from '@svc/ratelimit/redis';
import { authorization } from './authorization.ts';
import { appRole } from './app-role.ts';
import { authMails } from './mails.ts';
import { createMailTransport } from './mail-transport.ts';
import { createProjects } from './projects/projects.ts';
import { providersOf } from './providers.ts';
import { connectRedis } from './redis.ts';
import type { AppSettings } from './settings.ts';

export type Services = Awaited<ReturnType<typeof createServices>>;

/** Everything the app is made of, wired from top to bottom. */
export async function createServices(settings: AppSettings, logger: Logger) {
  const clock = systemClock;
  const connection = await connect(settings.databaseUrl, {
    poolSize: settings.databasePoolSize,
    logger,
    ...(settings.databaseUrl.startsWith('pglite:') && { role: appRole }),
  });
  const { db } = connection;
  await assertAppRole(db);
  const redis =
    settings.redisUrl === undefined ? undefined : connectRedis(settings.redisUrl, logger);

  const mailer = createMailer({
    transport: createMailTransport(settings),
    from: settings.mailFrom,
    logger,
    clock,
  });
  const cursors = createCursors({ secret: settings.appSecret });
  const audit = createAudit({
    db,
    origin: new URL(settings.publicUrl).host,
    ...(settings.auditSigningKey !== undefined && {
      signing: {
        privateKey: settings.auditSigningKey,
        formerPublicKeys: settings.auditFormerPublicKeys,
      },
    }),
    checkpointEvery: settings.auditCheckpointEvery,
    anchor: logAnchor(logger),
    cursors,
    logger,
    clock,
  });
  const cipher = createCipher({ keys: settings.authEncryptionKeys });
  const auth = createAuth({
    db,
    audit: audit.append,
    authorization,
    cipher,
    mfa: { requiredFor: ['admin'], trustDevices: settings.authTrustDevices },
    lockout: settings.authLockout && {
      account: { free: settings.authLockoutFree },
      pair: { free: settings.authLockoutPairFree },
      address: { free: settings.authLockoutAddressFree },
      firstWait: settings.authLockoutFirstWait,
      maxWait: settings.authLockoutMaxWait,
      answer: settings.authLockoutAnswer,
    },
    sendMail: authMails(mailer),
    publicUrl: settings.publicUrl,
    appName: 'Projects',
    sessions: {
      idle: settings.authSessionIdle,
      absolute: settings.authSessionAbsolute,
      cache: { maxAge: settings.authSessionCache },
    },
    refresh: { accessTtl: settings.authAccessTtl },
    passwords: {
      minLength: settings.authPasswordMinLength,
      whenBreachListUnreachable: settings.authBreachListUnreachable,
      ...(settings.authBreachListUrl !== undefined && {
        breaches: haveIBeenPwned({ fetch, url: settings.authBreachListUrl, clock }),
      }),
    },
    logger,
    clock,
  });
  const oauth = createOAuth({ auth, providers: providersOf(settings) });
  const passkeys = createPasskeys({ auth, providers: oauth.providers });
  const serviceTokens = createServiceTokens({
    db,
    issuer: settings.publicUrl,
    cipher,
    logger,
    clock,
  });
  const limits = createRateLimit({
    // Without Redis each process counts by itself.
    store: redis === undefined ? memoryStore({ clock }) : redisStore(redis.client),
    storeTimeout: settings.rateLimitStoreTimeout,
    logger,
    clock,
  });
  // In the database, so that a key, what was written and the answer are one commit.
  const idempotency = createIdempotency({ store: postgresStore(db), logger, clock });
  const projects = createProjects({
    db,
    cursors,
    audit: audit.append,
    clock,
  });

  const health = createHealth({
    checks: [
      { name: 'database', critical: true, check: () => connection.ping() },
      { name: 'audit log', critical: false, check: () => audit.health() },
      ...(redis === undefined ? [] : [{ name: 'redis', critical: false, check: redis.ping }]),
    ],
    logger,
    clock,
  });

  return {
    settings,
    logger,
    clock,
    health,
    audit,
    auth,
    passkeys,
    oauth,
    serviceTokens,
    cursors,
    db,
    limits,
    idempotency,
    projects,
    /** In the order of opening; closed in reverse. */
    opened: [
      { name: 'database', stop: () => connection.close() },
      ...(redis === undefined ? [] : [{ name: 'redis', stop: () => redis.disconnect() }]),
      { name: 'signing keys', stop: () => serviceTokens.stop() },
      { name: 'audit log', stop: () => audit.stop() },
      { name: 'mails on their way', stop: () => auth.stop() },
    ] satisfies Stoppable[],
  };
}
