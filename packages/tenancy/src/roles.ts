/** The roles that every app has, the least first. */
export const defaultRoles = ['member', 'admin', 'owner'] as const;
export type DefaultRole = (typeof defaultRoles)[number];

/** Roles of members from the least to the most; each may do what those before it may. */
export interface RoleLadder<Role extends string = string> {
  readonly roles: readonly Role[];
  isRole(name: string): name is Role;
  /** Whether somebody with `role` may do what asks for `needed`; never with a role that is not on the ladder. */
  reaches(role: string, needed: string): boolean;
  /** Whether `role` stands above `other`. */
  exceeds(role: string, other: string): boolean;
}

const rolePattern = /^[a-z][a-z0-9_]{0,39}$/;

/** @throws {TypeError} unless it begins with what everybody may, has `admin`, and ends with `owner`. */
export function createRoleLadder<const Role extends string>(
  roles: readonly Role[],
): RoleLadder<Role> {
  const ranks = new Map<string, number>(roles.map((role, rank) => [role, rank]));
  if (ranks.size < roles.length || !roles.every((role) => rolePattern.test(role)))
    throw new TypeError('roles are different names of lower-case letters, digits and underscores');
  const [admin, owner] = [ranks.get('admin'), ranks.get('owner')];
  if (admin === undefined || admin === 0 || owner !== roles.length - 1)
    throw new TypeError("roles go from the least to the most: 'admin' among them, 'owner' last");
  const rankOf = (role: string) => ranks.get(role) ?? -1;
  return {
    roles,
    isRole: (name): name is Role => ranks.has(name),
    reaches: (role, needed) => ranks.has(needed) && rankOf(role) >= rankOf(needed),
    exceeds: (role, other) => rankOf(role) > rankOf(other),
  };
}
