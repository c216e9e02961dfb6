import type { Project } from './projects.ts';

/** A project as JSON. */
export const toProjectBody = (project: Project) => ({
  ...project,
  createdAt: project.createdAt.toISOString(),
  updatedAt: project.updatedAt.toISOString(),
});
