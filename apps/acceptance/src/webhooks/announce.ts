import type { Publish } from '@svc/webhooks';
import type { AnnounceProject } from '../projects/projects.ts';
import { toProjectBody } from '../projects/body.ts';
import { eventTypes } from './event-types.ts';

/** Tells a tenant's endpoints what happens to its projects, in the transaction in which it happens. */
export function announceProjects(publish: Publish): AnnounceProject {
  return async ({ what, project }, options) => {
    // So that an endpoint that wants order sees one project go from version to version.
    const about = { tenantId: project.tenantId, orderKey: project.id };
    if (what === 'deleted')
      await publish(eventTypes.deleted, { ...about, data: { id: project.id } }, options);
    else await publish(eventTypes[what], { ...about, data: toProjectBody(project) }, options);
  };
}
