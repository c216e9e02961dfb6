import type { Auth } from '@svc/auth';
import { type AuthEnv, type PagesOptions, requirePermission, requireUser } from '@svc/auth/hono';
import { InvalidCursor } from '@svc/core';
import { operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import type { Permission, Role } from '../authorization.ts';
import type { Projects } from '../projects/projects.ts';
import { toProjectBody } from '../projects/body.ts';
import { ProjectPage } from '../projects/schemas.ts';
import { ListProjectsOfAll } from './schemas.ts';

/** `/admin/projects`: the projects of all tenants, for support that says why it looks. */
export function supportRoutes(
  projects: Projects,
  auth: Auth<Permission, Role>,
  pages: PagesOptions,
) {
  return new Hono<AuthEnv>().use(requireUser(auth, pages)).get(
    '/',
    operation({
      id: 'listProjectsOfAll',
      summary: 'List the projects of all tenants, newest first',
      description: 'The reason, and who gave it, stand in the audit log.',
      tags: ['Administration'],
      responses: { 200: { description: 'A page of projects', schema: ProjectPage } },
      failures: [InvalidCursor],
    }),
    requirePermission(auth, 'project.support'),
    validated('query', ListProjectsOfAll),
    async (c) => {
      const { reason, ...page } = c.req.valid('query');
      const actor = { type: 'user', id: c.get('principal').userId } as const;
      const { items, nextCursor } = await projects.forSystem(reason, { actor }).list(page);
      return c.json({ items: items.map(toProjectBody), nextCursor });
    },
  );
}
