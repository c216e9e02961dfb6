import type { Clock } from '@svc/core';
import { type ApiFinding, type HttpEnv, operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import * as v from 'valibot';
import type { Projects, ProjectsOfMember } from './projects/projects.ts';

const tags = ['Acceptance'];
const documented = (id: string, summary: string) =>
  operation({
    id,
    summary,
    tags,
    responses: { 200: { description: 'As asked', schema: v.looseObject({}) } },
    security: 'none',
    hidden: true,
  });

const Slow = v.strictObject({
  ms: v.pipe(v.string(), v.regex(/^\d{1,5}$/), v.transform(Number)),
  key: v.optional(v.pipe(v.string(), v.maxLength(50)), ''),
});

// Long enough to be seen and killed.
const heldMs = 5000;

/** Names of projects whose creation is to stand still, and whether it does. */
export type Holds = Map<string, 'asked' | 'held'>;

/** The same projects; but the creation of one of `holds` stands still, once, after it is written. */
export function holdable(projects: Projects, holds: Holds, clock: Clock): Projects {
  const holding = (of: ProjectsOfMember): ProjectsOfMember => ({
    ...of,
    async create(project, options) {
      const created = await of.create(project, options);
      if (holds.get(project.name) === 'asked') {
        holds.set(project.name, 'held');
        await clock.sleep(heldMs);
      }
      return created;
    },
  });
  return {
    ...projects,
    forPrincipal: (principal, tenant) => holding(projects.forPrincipal(principal, tenant)),
  };
}

const Hold = v.strictObject({ name: v.pipe(v.string(), v.maxLength(50)) });

/** What the gate needs and a product does not have. Mounted only with `ACCEPTANCE=true`, never in production. */
export function controlRoutes(
  clock: Clock,
  holds: Holds,
  examine: () => Promise<readonly ApiFinding[]>,
) {
  const aborted = new Set<string>();
  return new Hono<HttpEnv>()
    .get(
      '/slow',
      documented('slow', 'Answer after a while'),
      validated('query', Slow),
      async (c) => {
        const { ms, key } = c.req.valid('query');
        await clock.sleep(ms, c.get('signal')).catch((reason: unknown) => {
          aborted.add(key);
          throw reason;
        });
        return c.json({ slept: ms });
      },
    )
    .get('/aborted', documented('aborted', 'List the slow answers that were cut off'), (c) =>
      c.json({ aborted: [...aborted] }),
    )
    .post(
      '/holds',
      documented('hold', 'Let the creation of a project of this name stand still'),
      validated('json', Hold),
      (c) => {
        holds.set(c.req.valid('json').name, 'asked');
        return c.json({});
      },
    )
    .get('/holds', documented('holds', 'List the projects whose creation is to stand still'), (c) =>
      c.json(Object.fromEntries(holds)),
    )
    .get('/doctor', documented('doctor', 'What the API doctor finds'), async (c) =>
      c.json({ findings: [...(await examine())] }),
    )
    .get('/broken', documented('broken', 'Throw what nobody expected'), () => {
      throw new Error('the password is swordfish');
    });
}
