import { auditRoutes } from '@svc/audit/hono';
import { actorOf } from '@svc/auth';
import {
  type AuthEnv,
  authRoutes,
  jwksRoutes,
  oauthRoutes,
  passkeyRoutes,
  requirePermission,
  requireUser,
} from '@svc/auth/hono';
import {
  apiDoctor,
  type HttpEnv,
  inTurn,
  maintenanceGuard,
  openapiRoutes,
  operation,
  probeRoutes,
  problemRoutes,
  stack,
} from '@svc/http/hono';
import { jobsRoutes } from '@svc/jobs/hono';
import { abuseGuard, abuseReports } from '@svc/ratelimit/hono';
import { tenantRoutes } from '@svc/tenancy/hono';
import { Hono } from 'hono';
import * as v from 'valibot';
import { allowances, documentOptions } from './api-document.ts';
import { abuseRoutes } from './admin/abuse-routes.ts';
import { supportRoutes } from './admin/project-routes.ts';
import { userRoutes } from './admin/routes.ts';
import { staffTenantRoutes } from './admin/tenant-routes.ts';
import { controlJobRoutes } from './control-jobs.ts';
import { controlResilienceRoutes } from './control-resilience.ts';
import { controlRoutes, holdable, type Holds } from './control.ts';
import { observed, quietRoutes, scraped } from './observed.ts';
import { exportRoutes } from './projects/export-routes.ts';
import { projectRoutes } from './projects/routes.ts';
import {
  addressLimit,
  invitationPath,
  mailLimit,
  mailPaths,
  signInLimit,
  signInPaths,
  tenantCreationLimit,
  tenantLimit,
} from './rate-limits.ts';
import type { Services } from './services.ts';
import { tenantMfa, tenantMfaOfPath } from './tenants/mfa.ts';
import { ownTenantRoutes } from './tenants/routes.ts';
import { tenantPrincipal } from './tenants/principal.ts';
import { tenantWebhookRoutes } from './webhooks/routes.ts';

/** The Projects app: its routes over its services. */
export function createApp({
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
  projects: ownProjects,
  webhooks,
  projectExports,
  jobs,
}: Services) {
  const holds: Holds = new Map();
  const projects = settings.acceptance ? holdable(ownProjects, holds, clock) : ownProjects;
  // Pages of these may send unsafe requests with the session cookie.
  const pages = { allowedOrigins: settings.corsOrigins };
  const apiDocument = documentOptions(settings.publicUrl);
  const { typeBase } = apiDocument;
  const app = new Hono<HttpEnv>();
  // Before the stack, to see what it refuses.
  app.use(observed({ obs }));
  app.use(abuseReports(abuse));
  stack(app, {
    logger,
    clock,
    trustedProxies: settings.trustedProxies,
    cors: { origins: settings.corsOrigins, credentials: true },
    bodyLimit: { maxBytes: settings.bodyLimitBytes, readTimeoutMs: settings.bodyTimeoutMs },
    handlerTimeoutMs: settings.handlerTimeoutMs,
    quietRoutes,
    typeBase,
  });

  // Before whatever refuses: balancers and scrapers ask often, and must get an answer whoever else asks from their address.
  app.route('/', probeRoutes(health));
  app.route('/', scraped({ obs, settings }));
  app.use(maintenanceGuard(maintenance));
  app.use(abuseGuard(abuse, { slowBy: settings.abuseSlowBy, clock }));
  app.use(addressLimit(limits, settings));
  app.on('POST', signInPaths, signInLimit(limits, settings));
  // Only who is signed in uses up what the mailbox of somebody else may get by this.
  app.on('POST', '/auth/email/change', requireUser(auth, pages));
  app.on('POST', invitationPath, requireUser(auth, pages));
  app.on('POST', [...mailPaths, invitationPath], mailLimit(limits, settings));
  app.on('POST', '/tenants', requireUser(auth, pages), tenantCreationLimit(limits, settings));
  const limit = tenantLimit(limits, settings, plans.lately);
  const mfa = tenantMfa(auth, security);
  const ofPath = tenantMfaOfPath(auth, tenancy, security);

  const auditLog = new Hono<AuthEnv>().use(requireUser(auth, pages)).route(
    '/',
    auditRoutes(audit, {
      guard: requirePermission(auth, 'audit.read'),
      actorOf: (c) => actorOf(c.get('principal')),
    }),
  );

  const staffJobs = new Hono<AuthEnv>().use(requireUser(auth, pages)).route(
    '/',
    jobsRoutes(jobs, {
      guard: requirePermission(auth, 'jobs.read'),
      writeGuard: requirePermission(auth, 'jobs.manage'),
    }),
  );

  const routes = app
    .get(
      '/ping',
      operation({
        id: 'ping',
        summary: 'Answer at once',
        tags: ['Service'],
        responses: {
          200: { description: 'The service answers', schema: v.object({ pong: v.literal(true) }) },
        },
        security: 'none',
      }),
      (c) => c.json({ pong: true as const }),
    )
    .route('/auth', authRoutes(auth, pages))
    .route('/auth', passkeyRoutes(auth, passkeys, pages))
    .route('/auth', oauthRoutes(auth, oauth, pages))
    .route('/.well-known', jwksRoutes(serviceTokens))
    .route(
      '/',
      tenantRoutes(tenancy, {
        principal: tenantPrincipal,
        guard: inTurn(requireUser(auth, pages), ofPath),
        sensitive: inTurn(requireUser(auth, { ...pages, level: 'highest', maxAge: '1h' }), ofPath),
        selecting: requireUser(auth, { ...pages, accept: 'any' }),
      }),
    )
    .route('/tenants', ownTenantRoutes({ auth, tenancy, security, audit, limit }, pages))
    .route(
      '/projects/exports',
      exportRoutes({ projectExports, auth, tenancy, idempotency, db: tenantDb, mfa, limit }, pages),
    )
    .route(
      '/projects',
      projectRoutes(
        {
          projects,
          auth,
          tenancy,
          idempotency,
          db: tenantDb,
          mfa,
          limit,
        },
        pages,
      ),
    )
    .route('/webhooks', tenantWebhookRoutes({ webhooks, auth, tenancy, mfa, limit }, pages))
    .route('/admin/users', userRoutes({ auth, tenancy, cursors, db }, pages))
    .route(
      '/admin/tenants',
      staffTenantRoutes({ tenancy, tenantDeletions, plans, auth, cursors, db: tenantDb }, pages),
    )
    .route('/admin/projects', supportRoutes(projects, auth, pages))
    .route('/admin/jobs', staffJobs)
    .route('/admin/abuse', abuseRoutes({ abuse, auth, audit: audit.append, db, clock }, pages))
    .route('/admin/audit', auditLog);
  if (settings.acceptance) {
    app.route(
      '/_acceptance',
      controlRoutes(clock, holds, () => apiDoctor(app, { ...apiDocument, allow: allowances })),
    );
    app.route('/_acceptance', controlJobRoutes({ db, jobs }));
    const origin = settings.webhooksAllow[0] ?? settings.publicUrl;
    const resilience = controlResilienceRoutes({ clock, origin, fetch, maintenance });
    app.route('/_acceptance', resilience);
  }
  // Last, because they speak of the routes before them.
  app.route('/', problemRoutes(app, { typeBase }));
  app.route('/', openapiRoutes(app, apiDocument));
  return routes;
}
