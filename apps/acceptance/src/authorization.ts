import { createAuthorization, ownedBy } from '@svc/auth';

const projectPermissions = [
  'project.list',
  'project.read',
  'project.create',
  'project.change',
  'project.delete',
] as const;

/** Who may do what in the app. A role that is not named here brings what it brings in every app. */
export const authorization = createAuthorization({
  permissions: [...projectPermissions, 'project.support'],
  roles: { user: projectPermissions, support: ['project.support'] },
  guards: {
    'project.read': ownedBy,
    'project.change': ownedBy,
    'project.delete': ownedBy,
  },
});

export type Permission = (typeof authorization.permissions)[number];
export type Role = (typeof authorization.roles)[number];
