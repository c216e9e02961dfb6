import { failure } from '@svc/core';

/** The tenant's plan allows no more of it. */
export class QuotaExceeded extends failure(
  'tenancy.quota_exceeded',
  'forbidden',
  'The plan of this tenant allows no more of these.',
) {}

/** There is no such tenant, or who asks is no member of it: the two cannot be told apart. */
export class TenantNotFound extends failure(
  'tenancy.tenant_not_found',
  'not_found',
  'There is no such tenant.',
) {}

/** The tenant was suspended by those who run the service. */
export class TenantSuspended extends failure(
  'tenancy.suspended',
  'forbidden',
  'This tenant is suspended.',
) {}

/** The header names another tenant than the one in which the request would have been done. */
export class TenantMismatch extends failure(
  'tenancy.tenant_mismatch',
  'conflict',
  'X-Tenant-Id names another tenant than the one selected here. Select that one, or leave the header out.',
) {}

/** What is asked for needs a higher role in the tenant. */
export class RoleRequired extends failure(
  'tenancy.role_required',
  'forbidden',
  'Your role in this tenant does not allow this.',
) {}

/** The tenant has no such member. */
export class MemberNotFound extends failure(
  'tenancy.member_not_found',
  'not_found',
  'There is no such member.',
) {}

/** A tenant always has an owner: the last one can neither leave nor be removed or demoted. */
export class LastOwner extends failure(
  'tenancy.last_owner',
  'conflict',
  'The tenant would have no owner. Make somebody else an owner first.',
) {}

/** The tenant has no such open invitation. */
export class InvitationNotFound extends failure(
  'tenancy.invitation_not_found',
  'not_found',
  'There is no such invitation.',
) {}

/** The token of an invitation is unknown, used, revoked, replaced by a newer one, or too old. */
export class InvalidInvitation extends failure(
  'tenancy.invalid_invitation',
  'invalid',
  'The invitation is not valid any more. Ask for a new one.',
) {}

/** The invitation went to an address that is not the verified one of who accepts it; it stays open. */
export class InvitationForAnother extends failure(
  'tenancy.invitation_for_another',
  'forbidden',
  'This invitation is for another e-mail address. Sign in with that one.',
) {}

/** The tenant has as many open invitations as it may have; revoke one first. */
export class TooManyInvitations extends failure(
  'tenancy.too_many_invitations',
  'conflict',
  'There are too many open invitations. Revoke one first.',
) {}

/** The row does not exist for this tenant: another tenant's is none. */
export class ResourceNotFound extends failure(
  'tenancy.resource_not_found',
  'not_found',
  'There is no such resource.',
) {}

/** A row with this key exists, or something that a row refers to does not, or is still referred to. */
export class ResourceConflict extends failure(
  'tenancy.resource_conflict',
  'conflict',
  'It conflicts with something that exists, or refers to something that does not.',
) {}

/** The files are no export of this format and this app, or not whole. */
export class InvalidExport extends failure(
  'tenancy.invalid_export',
  'invalid',
  'This is no intact export of a tenant.',
) {}

/** Only an empty tenant can be imported into. */
export class TenantNotEmpty extends failure(
  'tenancy.not_empty',
  'conflict',
  'This tenant has data already.',
) {}

/** The deletion of the tenant has begun: it cannot be cancelled any more. */
export class DeletionBegun extends failure(
  'tenancy.deletion_begun',
  'conflict',
  'The tenant is being deleted already.',
) {}

/** The tenant is frozen, and its grace period is not over. */
export class DeletionNotDue extends failure(
  'tenancy.deletion_not_due',
  'conflict',
  'The tenant is not to be deleted yet.',
) {}

/** Transactions that began before the tenant was frozen have not ended. */
export class DeletionHeldUp extends failure(
  'tenancy.deletion_held_up',
  'unavailable',
  'Transactions from before the deletion are still open. Try again later.',
) {}

/** Something goes on writing rows of the tenant. */
export class RowsRemain extends failure(
  'tenancy.rows_remain',
  'conflict',
  'There are still rows of the tenant.',
) {}
