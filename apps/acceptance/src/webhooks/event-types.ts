import { defineEventType } from '@svc/webhooks';
import * as v from 'valibot';
import { ProjectBody } from '../projects/schemas.ts';

/** What tenants can be told of. Receivers rely on it: a change that breaks them is a new version. */
export const eventTypes = {
  created: defineEventType({
    type: 'project.created',
    description: 'A project was created; the project as it is now.',
    payload: ProjectBody,
  }),
  changed: defineEventType({
    type: 'project.changed',
    description: 'A project was changed; the project as it is now.',
    payload: ProjectBody,
  }),
  deleted: defineEventType({
    type: 'project.deleted',
    description: 'A project was deleted; its id.',
    payload: v.object({ id: v.pipe(v.string(), v.uuid()) }),
  }),
};
