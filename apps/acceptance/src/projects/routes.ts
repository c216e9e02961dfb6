import { AccessDenied, type Auth } from '@svc/auth';
import { type AuthEnv, type PagesOptions, requireUser } from '@svc/auth/hono';
import { isFailure } from '@svc/core';
import { type Db, StaleVersion, transact } from '@svc/db';
import { expectedVersions, PreconditionFailed, PreconditionRequired, toEtag } from '@svc/http';
import { operation, validated } from '@svc/http/hono';
import type { Idempotency } from '@svc/idempotency';
import { idempotencyFailures, type IdempotencyEnv, idempotent } from '@svc/idempotency/hono';
import { Hono } from 'hono';
import { ProjectNotFound, type Project, type Projects } from './projects.ts';
import {
  ChangeProject,
  CreateProject,
  ListProjects,
  ProjectBody,
  ProjectId,
  ProjectPage,
} from './schemas.ts';

const tags = ['Projects'];

interface ProjectRoutesNeeds {
  projects: Projects;
  auth: Auth;
  idempotency: Idempotency;
  db: Db;
}

/** `/projects`: the projects of the signed-in person, who may send an API key. */
export function projectRoutes(
  { projects, auth, idempotency, db }: ProjectRoutesNeeds,
  pages: PagesOptions,
) {
  // A project that is created twice by a client that tries again would be there twice.
  const once = idempotent(idempotency, {
    caller: (c) => c.get('principal').userId,
    transact: (_, work) => transact(db, work),
    methods: ['POST'],
  });
  return new Hono<AuthEnv & IdempotencyEnv>()
    .use(requireUser(auth, { ...pages, accept: 'any' }))
    .get(
      '/',
      operation({
        id: 'listProjects',
        summary: 'List your projects, newest first',
        tags,
        responses: { 200: { description: 'A page of projects', schema: ProjectPage } },
        failures: [AccessDenied],
      }),
      validated('query', ListProjects),
      async (c) => {
        const page = await projects.forPrincipal(c.get('principal')).list(c.req.valid('query'));
        return c.json({ items: page.items.map(toProjectBody), nextCursor: page.nextCursor });
      },
    )
    .post(
      '/',
      operation({
        id: 'createProject',
        summary: 'Create a project',
        tags,
        responses: { 201: { description: 'The new project', schema: ProjectBody } },
        failures: [AccessDenied, ...idempotencyFailures],
      }),
      once,
      validated('json', CreateProject),
      async (c) => {
        const within = c.get('idempotencyTrx');
        const project = await projects
          .forPrincipal(c.get('principal'))
          .create(c.req.valid('json'), { within });
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
        failures: [AccessDenied, ProjectNotFound],
      }),
      validated('param', ProjectId),
      async (c) => {
        const project = await projects
          .forPrincipal(c.get('principal'))
          .get(c.req.valid('param').id);
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
          'Says which version is meant, by `If-Match` or by `version` in the body; a change of another version is refused.',
        tags,
        responses: { 200: { description: 'The changed project', schema: ProjectBody } },
        failures: [
          AccessDenied,
          ProjectNotFound,
          StaleVersion,
          PreconditionFailed,
          PreconditionRequired,
        ],
      }),
      validated('param', ProjectId),
      validated('json', ChangeProject),
      async (c) => {
        const { version, ...change } = c.req.valid('json');
        const ifMatch = c.req.header('if-match');
        if (ifMatch === undefined && version === undefined) throw new PreconditionRequired();
        const project = await projects
          .forPrincipal(c.get('principal'))
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
        tags,
        responses: { 204: { description: 'It is gone' } },
        failures: [AccessDenied, ProjectNotFound, PreconditionFailed],
      }),
      validated('param', ProjectId),
      async (c) => {
        const ifMatch = c.req.header('if-match');
        await projects
          .forPrincipal(c.get('principal'))
          .delete(c.req.valid('param').id, expectedVersions({ ifMatch }))
          .catch(staleAsPrecondition(ifMatch));
        return c.body(null, 204);
      },
    );
}

/** A version named by `If-Match` that is stale is a failed precondition (RFC 9110, 13.1.1), one in the body a conflict. */
function staleAsPrecondition(ifMatch: string | undefined) {
  return (error: unknown): never => {
    throw ifMatch !== undefined && isFailure(error, StaleVersion)
      ? new PreconditionFailed()
      : error;
  };
}

/** A project as JSON. */
export const toProjectBody = (project: Project) => ({
  ...project,
  createdAt: project.createdAt.toISOString(),
  updatedAt: project.updatedAt.toISOString(),
});
