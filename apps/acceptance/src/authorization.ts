import { createAuthorization, type Subject } from '@svc/auth';

const projectPermissions = [
  'project.list',
  'project.read',
  'project.create',
  'project.change',
  'project.delete',
  'project.export',
] as const;

/** A project, and the tenant in which somebody asks for it, with their role there. */
export interface ProjectOfTenant {
  readonly project: { readonly tenantId: string; readonly createdBy: string };
  readonly tenant: { readonly id: string; readonly role: string };
}

const administers: ReadonlySet<string> = new Set(['admin', 'owner']);

const administered = (_: Subject, { tenant }: Pick<ProjectOfTenant, 'tenant'>) =>
  administers.has(tenant.role);
const ofTenant = (_: Subject, { project, tenant }: ProjectOfTenant) =>
  project.tenantId === tenant.id;
const ownOrAdministered = (subject: Subject, about: ProjectOfTenant) =>
  ofTenant(subject, about) &&
  (about.project.createdBy === subject.userId || administers.has(about.tenant.role));

/** Who may do what in the app. A role that is not named here brings what it brings in every app. */
export const authorization = createAuthorization({
  permissions: [
    ...projectPermissions,
    'webhook.manage',
    'project.support',
    'tenants.manage',
    'abuse.manage',
    'jobs.read',
    'jobs.manage',
  ],
  roles: {
    user: [...projectPermissions, 'webhook.manage'],
    support: ['project.support', 'jobs.read'],
    admin: ['tenants.manage', 'abuse.manage', 'jobs.read', 'jobs.manage'],
  },
  guards: {
    'webhook.manage': administered,
    'project.read': ofTenant,
    'project.change': ownOrAdministered,
    'project.delete': ownOrAdministered,
  },
});

export type Permission = (typeof authorization.permissions)[number];
export type Role = (typeof authorization.roles)[number];
