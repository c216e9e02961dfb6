import { AccessDenied, type Auth } from '@svc/auth';
import { type AuthEnv, type PagesOptions, requireUser } from '@svc/auth/hono';
import { InvalidCursor } from '@svc/core';
import { type Db, StaleVersion, transact } from '@svc/db';
import { expectedVersions, PreconditionFailed, PreconditionRequired, toEtag } from '@svc/http';
import { operation, validated } from '@svc/http/hono';
import type { Idempotency } from '@svc/idempotency';
import { type IdempotencyEnv, idempotent } from '@svc/idempotency/hono';
import {
  QuotaExceeded,
  type Tenancy,
  TenantMismatch,
  TenantNotFound,
  TenantSuspended,
} from '@svc/tenancy';
import { requireTenant, staleAsPrecondition, type TenantEnv } from '@svc/tenancy/hono';
import { Hono, type MiddlewareHandler } from 'hono';
import type { TenantMfa } from '../tenants/mfa.ts';
import { tenantPrincipal } from '../tenants/principal.ts';
import { toProjectBody } from './body.ts';
import { ProjectNotFound, type Projects } from './projects.ts';
import {
  ChangeProject,
  CreateProject,
  ListProjects,
  ProjectBody,
  ProjectId,
  ProjectPage,
} from './schemas.ts';

const tags = ['Projects'];

type Variables = (AuthEnv & TenantEnv)['Variables'];

interface ProjectRoutesNeeds {
  projects: Projects;
  auth: Auth;
  tenancy: Tenancy;
  idempotency: Idempotency;
  /** One that knows the tables of tenants. */
  db: Db;
  /** Stands behind what finds the tenant. */
  mfa: TenantMfa;
  /** Stands where person and tenant are known. */
  limit: MiddlewareHandler;
}

/** `/projects`: the projects of the tenant that the request is for; with a session or an API key. */
export function projectRoutes(
  { projects, auth, tenancy, idempotency, db, mfa, limit }: ProjectRoutesNeeds,
  pages: PagesOptions,
) {
  // A project that is created twice by a client that tries again would be there twice.
  const once = idempotent(idempotency, {
    // A key of theirs, which may do less, is another caller.
    caller: (c) =>
      [c.get('tenant').id, c.get('principal').userId, c.get('principal').apiKey?.id ?? ''].join(
        ' ',
      ),
    transact: (_, work) => transact(db, work),
    methods: ['POST'],
  });
  const projectsOf = ({ var: { principal, tenant } }: { var: Variables }) =>
    projects.forPrincipal(principal, tenant);
  const refusals = [TenantMismatch, TenantNotFound, TenantSuspended, AccessDenied];
  return new Hono<AuthEnv & TenantEnv & IdempotencyEnv>()
    .use(requireUser(auth, { ...pages, accept: 'any' }))
    .use(requireTenant(tenancy, { principal: tenantPrincipal }))
    .use(mfa)
    .use(limit)
    .get(
      '/',
      operation({
        id: 'listProjects',
        summary: 'List the projects of the tenant, newest first',
        tags,
        responses: { 200: { description: 'A page of projects', schema: ProjectPage } },
        failures: [InvalidCursor, ...refusals],
      }),
      validated('query', ListProjects),
      async (c) => {
        const page = await projectsOf(c).list(c.req.valid('query'));
        return c.json({ items: page.items.map(toProjectBody), nextCursor: page.nextCursor });
      },
    )
    .post(
      '/',
      operation({
        id: 'createProject',
        summary: 'Create a project',
        description: 'As many as the plan of the tenant allows.',
        tags,
        responses: { 201: { description: 'The new project', schema: ProjectBody } },
        failures: [QuotaExceeded, ...refusals],
      }),
      once,
      validated('json', CreateProject),
      async (c) => {
        const within = c.get('idempotencyTrx');
        const project = await projectsOf(c).create(c.req.valid('json'), { within });
        c.header('location', `/projects/${project.id}`);
        c.header('etag', toEtag(project.version));
        return c.json(toProjectBody(project), 201);
      },
    )
    .get(
      '/:id',
      operation({
        id: 'getProject',
        summary: 'Read a project',
        tags,
        responses: { 200: { description: 'The project', schema: ProjectBody } },
        failures: [ProjectNotFound, ...refusals],
      }),
      validated('param', ProjectId),
      async (c) => {
        const project = await projectsOf(c).get(c.req.valid('param').id);
        c.header('etag', toEtag(project.version));
        return c.json(toProjectBody(project));
      },
    )
    .patch(
      '/:id',
      operation({
        id: 'changeProject',
        summary: 'Change a project',
        description:
          'For who created it, and for admins and owners of the tenant. Says which version is meant, by `If-Match` or by `version` in the body; a change of another version is refused.',
        tags,
        responses: { 200: { description: 'The changed project', schema: ProjectBody } },
        failures: [
          ProjectNotFound,
          StaleVersion,
          PreconditionFailed,
          PreconditionRequired,
          ...refusals,
        ],
      }),
      validated('param', ProjectId),
      validated('json', ChangeProject),
      async (c) => {
        const { version, ...change } = c.req.valid('json');
        const ifMatch = c.req.header('if-match');
        if (ifMatch === undefined && version === undefined) throw new PreconditionRequired();
        const project = await projectsOf(c)
          .change(c.req.valid('param').id, expectedVersions({ ifMatch, version }), change)
          .catch(staleAsPrecondition(ifMatch));
        c.header('etag', toEtag(project.version));
        return c.json(toProjectBody(project));
      },
    )
    .delete(
      '/:id',
      operation({
        id: 'deleteProject',
        summary: 'Delete a project',
        description: 'For who created it, and for admins and owners of the tenant.',
        tags,
        responses: { 204: { description: 'It is gone' } },
        failures: [ProjectNotFound, PreconditionFailed, ...refusals],
      }),
      validated('param', ProjectId),
      async (c) => {
        const ifMatch = c.req.header('if-match');
        await projectsOf(c)
          .delete(c.req.valid('param').id, expectedVersions({ ifMatch }))
          .catch(staleAsPrecondition(ifMatch));
        return c.body(null, 204);
      },
    );
}
