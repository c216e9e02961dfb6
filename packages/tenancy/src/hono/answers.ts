import { createMiddleware } from 'hono/factory';
import type { Invitation } from '../invitations.ts';
import type { Member } from '../members.ts';
import type { Membership } from '../memberships.ts';
import type { TenantOfMember } from '../tenant.ts';

export const toTenantBody = (tenant: TenantOfMember) => ({
  id: tenant.id,
  name: tenant.name,
  role: tenant.role,
  createdAt: tenant.createdAt.toISOString(),
  suspendedAt: tenant.suspendedAt?.toISOString() ?? null,
});

export const toTenantBodyOf = ({ tenant, role }: Membership) => toTenantBody({ ...tenant, role });

export const toMemberBody = ({ userId, role, joinedAt }: Member) => ({
  userId,
  role,
  joinedAt: joinedAt.toISOString(),
});

export const toInvitationBody = (invitation: Invitation) => ({
  ...invitation,
  createdAt: invitation.createdAt.toISOString(),
  expiresAt: invitation.expiresAt.toISOString(),
});

/** Keeps answers out of every cache: they hold names and addresses. */
export const noStore = createMiddleware<{}, string, {}>(async (c, next) => {
  await next();
  c.header('Cache-Control', 'no-store');
});
