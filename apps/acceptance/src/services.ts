import { createCipher, createCursors, type Logger, systemClock } from '@svc/core';
import { createAudit, logAnchor } from '@svc/audit';
import { createAuth, haveIBeenPwned } from '@svc/auth';
import { createOAuth } from '@svc/auth/oauth';
import { createPasskeys } from '@svc/auth/passkeys';
import { createServiceTokens } from '@svc/auth/tokens';
import { assertAppRole, connect } from '@svc/db';
import { createHealth, createMaintenance, memoryMaintenanceStore, type Stoppable } from '@svc/http';
import { redisMaintenanceStore } from '@svc/http/redis';
import { createIdempotency } from '@svc/idempotency';
import { postgresStore } from '@svc/idempotency/postgres';
import { createJobs, createScheduler, createWorker, type Worker } from '@svc/jobs';
import { postgresScheduleStore, postgresStore as postgresJobStore } from '@svc/jobs/postgres';
import { createMailer } from '@svc/mail';
import { createObs, createScopes, databaseCheck, redisCheck } from '@svc/obs';
import { createAbuseGuard, createRateLimit, memoryAbuseStore, memoryStore } from '@svc/ratelimit';
import { redisAbuseStore, redisStore } from '@svc/ratelimit/redis';
import { createTenancy, createTenantLimits, tenantScoped } from '@svc/tenancy';
import { deliverTask } from '@svc/webhooks';
import { authorization } from './authorization.ts';
import { appRole } from './app-role.ts';
import { authMails, tenancyMails, webhookMails } from './mails.ts';
import { createMailTransport } from './mail-transport.ts';
import { controlSchedules, controlTasks } from './control-jobs.ts';
import { createPlans } from './plans/plans.ts';
import { createProjectExports } from './projects/exports.ts';
import { createProjects } from './projects/projects.ts';
import { providersOf } from './providers.ts';
import { purgeAll } from './purge-all.ts';
import { connectRedis } from './redis.ts';
import { createSchedules } from './schedules.ts';
import type { AppSettings } from './settings.ts';
import { createTasks } from './tasks.ts';
import { createTenantDeletions } from './tenants/deletion.ts';
import { createTenantSecurity } from './tenants/security.ts';
import { tablesOfTenants } from './tenants/tables.ts';
import { announceProjects } from './webhooks/announce.ts';
import { notifyOwners, sendNotice } from './webhooks/notices.ts';
import { createTenantWebhooks } from './webhooks/webhooks.ts';

/** Payloads of dead letters may name people. */
const keepDeadMs = 30 * 24 * 60 * 60_000;

export type Services = Awaited<ReturnType<typeof createServices>>;

/** Everything the app is made of, wired from top to bottom. @throws {InvalidSettings} on schedules that are not usable */
export async function createServices(
  settings: AppSettings,
  logger: Logger,
  scopes = createScopes(),
) {
  const clock = systemClock;
  const obs = createObs({ scopes, trust: settings.traceTrust, logger, clock });
  const tasks = [
    ...createTasks({
      sendAuthMail: (mail): Promise<void> => auth.deliverMail(mail),
      sendTenancyMail: (mail): Promise<void> => tenancy.deliverMail(mail),
      sendWebhookNotice: (notice): Promise<void> => sendWebhookNotice(notice),
      deliverWebhook: (payload, context) => webhooks.deliver(payload, context),
      writeExport: (of, context) => projectExports.write(of, context),
      deleteTenant: (of, context) => tenantDeletions.run(of, context),
      purge: (): Promise<Readonly<Record<string, unknown>>> =>
        purgeAll({
          auth: () => auth.purge(),
          tenancy: () => tenancy.purge(),
          idempotency: () => idempotency.purge(),
          exports: () => projectExports.purge(),
          webhooks: () => webhooks.purge(),
          tenantsDue: () => tenantDeletions.queueDue(),
          deadLetters: (): Promise<number> =>
            jobs.purgeDead({ before: new Date(clock.now().getTime() - keepDeadMs) }),
        }),
    }),
    ...(settings.acceptance ? controlTasks(clock) : []),
  ];
  // Before anything is opened: what operators have written may not be usable.
  const schedules = createSchedules(settings, tasks);
  const connection = await connect(settings.databaseUrl, {
    poolSize: settings.databasePoolSize,
    logger,
    ...(settings.databaseUrl.startsWith('pglite:') && { role: appRole }),
  });
  const { db } = connection;
  obs.watchDatabase(connection);
  await assertAppRole(db);
  // What the app's own code gets: no statement touches a tenant's table but for a tenant.
  const tenantDb = tenantScoped(db, tablesOfTenants);
  const redis =
    settings.redisUrl === undefined ? undefined : connectRedis(settings.redisUrl, logger);
  if (redis !== undefined) obs.watchRedis(redis.client);

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
  const jobs = createJobs({
    store: postgresJobStore(db),
    tasks,
    context: obs.jobContext,
    logger,
    clock,
  });
  const workerOf = (names: readonly string[]) =>
    createWorker({
      jobs,
      tasks: names,
      concurrency: settings.jobsConcurrency,
      lease: settings.jobsLease,
      around: obs.aroundJob,
    });
  // Slots of their own for what waits for servers of others: they may be as slow as they like, and hold up no mail.
  const [others, deliveries] = [
    tasks.map(({ name }) => name).filter((name) => name !== deliverTask),
    [deliverTask],
  ].map(workerOf) as [Worker, Worker];
  const worker: Pick<Worker, 'start' | 'stop' | 'drained'> = {
    start() {
      others.start();
      deliveries.start();
    },
    stop: async (options) =>
      void (await Promise.all([others.stop(options), deliveries.stop(options)])),
    async drained() {
      // A delivery may leave a notice to be mailed.
      for (const each of [others, deliveries, others]) await each.drained();
    },
  };
  // Two where the gate looks: that each tick comes once is for any number of them.
  const schedulers = (settings.acceptance ? ['scheduler', 'second scheduler'] : ['scheduler']).map(
    (name) =>
      createScheduler({
        store: postgresScheduleStore(db),
        schedules: [...schedules, ...(settings.acceptance ? controlSchedules : [])],
        enqueue: jobs.enqueue,
        logger,
        clock,
        name,
      }),
  );
  const limits = createRateLimit({
    // Without Redis each process counts by itself.
    store: redis === undefined ? memoryStore({ clock }) : redisStore(redis.client),
    storeTimeout: settings.rateLimitStoreTimeout,
    logger,
    clock,
  });
  const abuse = createAbuseGuard({
    store: redis === undefined ? memoryAbuseStore({ clock }) : redisAbuseStore(redis.client),
    slowAt: settings.abuseSlowAt,
    blockAt: settings.abuseBlockAt,
    blockFor: settings.abuseBlockFor,
    halfLife: settings.abuseHalfLife,
    storeTimeout: settings.rateLimitStoreTimeout,
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
    queueMail: (mail, options): Promise<unknown> => jobs.enqueue('auth.mail', mail, options),
    apiKeys: {
      isMember: async (userId, tenantId, options): Promise<boolean> =>
        (await tenancy.membershipOf(tenantId, userId, options)) !== null,
    },
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
  // In the database, so that a key, what was written and the answer are one commit.
  const idempotency = createIdempotency({ store: postgresStore(db), logger, clock });
  const tenancy = createTenancy({
    db,
    audit: audit.append,
    sendMail: tenancyMails(mailer),
    queueMail: (mail, options): Promise<unknown> => jobs.enqueue('tenancy.mail', mail, options),
    publicUrl: settings.publicUrl,
    appName: 'Projects',
    invitations: {
      ttl: settings.tenancyInvitationTtl,
      mayInvite: async (userId, options): Promise<boolean> =>
        (await auth.users.get(userId, options)).disabledAt === null,
    },
    selectionTtl: settings.authSessionAbsolute,
    deletionGrace: settings.tenancyDeletionGrace,
    onDeletionRequested: (tenantId, options): Promise<unknown> =>
      tenantDeletions.request(tenantId, options),
    findOver: (kind, ids): Promise<readonly string[]> => auth.findOver(kind, ids),
    onMemberRemoved: (tenantId, userId, { within }) => {
      const actor = { type: 'system', id: null, reason: 'no member any more' } as const;
      return auth.apiKeys.ofTenant.revokeAll(tenantId, { userId }, actor, { within });
    },
    logger,
    clock,
  });
  const plans = createPlans({
    db: tenantDb,
    projects: { free: settings.freePlanProjects, pro: settings.proPlanProjects },
    audit: audit.append,
    clock,
  });
  const security = createTenantSecurity({ db: tenantDb, audit: audit.append, clock });
  const { webhooks, opened: webhookConnections } = createTenantWebhooks({
    settings,
    db,
    cipher,
    audit: audit.append,
    notify: notifyOwners({
      tenancy,
      enqueueMany: (items, options) => jobs.enqueueMany('webhooks.notice', items, options),
    }),
    enqueue: (task, payload, options) => jobs.enqueue(task, payload, options),
    enqueueMany: (task, items, options) => jobs.enqueueMany(task, items, options),
    callContext: obs.callContext,
    logger,
    clock,
  });
  const sendWebhookNotice = sendNotice({
    users: auth.users,
    send: (notice) => webhookMails(mailer)({ appName: 'Projects', ...notice }),
  });
  const tenantDeletions = createTenantDeletions({
    tenancy,
    tables: tablesOfTenants,
    apiKeys: auth.apiKeys,
    webhooks,
    enqueue: (of, options) => jobs.enqueue('tenancy.delete', of, options),
  });
  const projects = createProjects({
    db: tenantDb,
    cursors,
    limits: createTenantLimits({ db: tenantDb, limitsOf: plans.quotasOf }),
    announce: announceProjects(webhooks.publish),
    audit: audit.append,
    clock,
  });

  const projectExports = createProjectExports({
    db: tenantDb,
    enqueue: (of, options) =>
      jobs.enqueue('projects.export', of, { ...options, tenantId: of.tenantId }),
    jobState: async (id) => (await jobs.get(id))?.state,
    audit: audit.append,
    clock,
  });

  const maintenance = createMaintenance({
    // Without Redis it is for this process.
    store:
      redis === undefined
        ? memoryMaintenanceStore()
        : redisMaintenanceStore({ client: redis.client }),
    logger,
    clock,
  });
  await maintenance.start();

  const health = createHealth({
    checks: [
      databaseCheck(connection),
      { name: 'audit log', critical: false, check: () => audit.health() },
      ...(redis === undefined ? [] : [redisCheck(redis.client)]),
    ],
    logger,
    clock,
  });

  /** In the order of opening; closed in reverse. */
  const opened: readonly Stoppable[] = [
    { name: 'metrics', stop: () => obs.stop() },
    { name: 'database', stop: () => connection.close() },
    ...(redis === undefined ? [] : [{ name: 'redis', stop: () => redis.disconnect() }]),
    webhookConnections,
    { name: 'maintenance', stop: () => maintenance.stop() },
    { name: 'signing keys', stop: () => serviceTokens.stop() },
    { name: 'audit log', stop: () => audit.stop() },
    { name: 'mails on their way', stop: () => auth.stop() },
  ];

  return {
    settings,
    logger,
    clock,
    obs,
    health,
    maintenance,
    audit,
    auth,
    passkeys,
    oauth,
    serviceTokens,
    cursors,
    db,
    tenantDb,
    limits,
    abuse,
    idempotency,
    tenancy,
    tenantDeletions,
    plans,
    security,
    projects,
    webhooks,
    projectExports,
    jobs,
    worker,
    schedulers,
    opened,
  };
}
