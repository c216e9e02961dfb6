import { failure } from '@svc/core';

/** Who acts: a signed-in person, or the system for a reason that is named. */
export type Actor = { readonly userId: string } | { readonly system: string };

export type ProjectAction = 'list' | 'read' | 'create' | 'change' | 'delete';

export class ProjectForbidden extends failure(
  'projects.forbidden',
  'forbidden',
  'You may not do this with a project.',
) {}

// A project belongs to a person, so the system has nobody to create one for.
const systemMay: ReadonlySet<ProjectAction> = new Set(['list', 'read', 'delete']);

/** Whether the actor may do this at all; which rows exist for them is the repository's part. @throws {ProjectForbidden} */
export function requirePermission(actor: Actor, action: ProjectAction): void {
  if ('system' in actor && !systemMay.has(action)) throw new ProjectForbidden();
}
