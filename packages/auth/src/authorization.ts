import { AccessDenied } from './failures.ts';

/** The permissions that every app has. */
export const authPermissions = [
  'user.read',
  'user.write',
  'billing.read',
  'billing.write',
  'security.session.list',
  'security.session.revoke',
  'audit.read',
  'admin.impersonate',
] as const;
export type AuthPermission = (typeof authPermissions)[number];

/** The roles that every app has. Everybody signed in has `user`. */
export type AuthRole = 'user' | 'support' | 'auditor' | 'admin';

const defaultRoles: Readonly<Record<AuthRole, readonly AuthPermission[]>> = {
  user: [],
  support: ['user.read', 'billing.read', 'security.session.list'],
  auditor: ['user.read', 'billing.read', 'security.session.list', 'audit.read'],
  admin: authPermissions,
};

/** Whose rights are asked for; a principal is one. */
export interface Subject {
  readonly userId: string;
  readonly permissions: ReadonlySet<string>;
}

/** Decides about one resource; asked only of those who hold the permission. */
export type Guard = (subject: Subject, resource: never) => boolean;

export interface AuthorizationOptions<Permission extends string, Role extends string> {
  /** Names of the app's own permissions (`project.delete`), beside `authPermissions`. */
  permissions?: readonly Permission[];
  /** What each role may do; for one of the default roles, in addition to what it may anyway. */
  roles?: { readonly [Name in Role | AuthRole]?: readonly NoInfer<Permission | AuthPermission>[] };
  /** Rules about the resource at hand, by permission: `{ 'project.delete': ownedBy }`. */
  guards?: { readonly [Name in NoInfer<Permission>]?: Guard };
}

/** Roles, the permissions they bring, and the guards of resources: RBAC with ABAC on top. What is not granted is denied. */
export interface Authorization<Permission extends string = string, Role extends string = string> {
  readonly roles: readonly Role[];
  readonly permissions: readonly Permission[];
  isRole(name: string): name is Role;
  isPermission(name: string): name is Permission;
  /** What roles bring together; names that are no role bring nothing. */
  permissionsOf(roles: readonly string[]): ReadonlySet<string>;
  /** Whether the subject may do this, to this resource where the permission has a guard; with a guard and no resource, no. */
  can(subject: Subject, permission: Permission, resource?: unknown): boolean;
  /** @throws {AccessDenied} unless `can`. */
  demand(subject: Subject, permission: Permission, resource?: unknown): void;
}

/** A guard for resources with an `ownerId`. */
export const ownedBy = (subject: Subject, resource: { readonly ownerId: string }): boolean =>
  resource.ownerId === subject.userId;

/** @throws {TypeError} when a role or a guard names a permission that does not exist. */
export function createAuthorization<
  const Permission extends string = never,
  const Role extends string = never,
>({
  permissions = [],
  roles = {},
  guards = {},
}: AuthorizationOptions<Permission, Role> = {}): Authorization<
  Permission | AuthPermission,
  Role | AuthRole
> {
  const known = new Set<string>([...authPermissions, ...permissions]);
  for (const name of known) {
    if (!/^[a-z]\w*(?:\.\w+)+$/.test(name))
      throw new TypeError(`the permission '${name}' is not written like 'project.delete'`);
  }
  const granted = new Map<string, ReadonlySet<string>>();
  const given = roles as Readonly<Record<string, readonly string[] | undefined>>;
  for (const role of new Set([...Object.keys(defaultRoles), ...Object.keys(given)])) {
    const brings = [...(defaultRoles[role as AuthRole] ?? []), ...(given[role] ?? [])];
    const unknown = brings.find((name) => !known.has(name));
    if (unknown !== undefined)
      throw new TypeError(
        `the role '${role}' brings the permission '${unknown}', which does not exist`,
      );
    granted.set(role, new Set(brings));
  }
  const unguarded = Object.keys(guards).find((name) => !known.has(name));
  if (unguarded !== undefined)
    throw new TypeError(`a guard is for the permission '${unguarded}', which does not exist`);

  const can = (subject: Subject, permission: string, resource?: unknown): boolean => {
    if (!known.has(permission)) throw new TypeError(`there is no permission '${permission}'`);
    if (!subject.permissions.has(permission)) return false;
    const guard = (guards as Readonly<Record<string, Guard | undefined>>)[permission];
    return guard === undefined || (resource !== undefined && guard(subject, resource as never));
  };
  return {
    roles: [...granted.keys()] as (Role | AuthRole)[],
    permissions: [...known] as (Permission | AuthPermission)[],
    isRole: (name): name is Role | AuthRole => granted.has(name),
    isPermission: (name): name is Permission | AuthPermission => known.has(name),
    permissionsOf: (names) => new Set(names.flatMap((name) => [...(granted.get(name) ?? [])])),
    can,
    demand(subject, permission, resource) {
      if (!can(subject, permission, resource)) throw new AccessDenied();
    },
  };
}
