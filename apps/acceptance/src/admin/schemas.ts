import * as v from 'valibot';
import { planNames } from '../plans/plans.ts';
import { ListProjects } from '../projects/schemas.ts';

const Id = v.pipe(v.string(), v.uuid());
const Timestamp = v.pipe(v.string(), v.isoTimestamp());

export const UserId = v.strictObject({ id: Id });

export const TenantId = v.strictObject({ id: Id });

export const ListTenants = v.strictObject({ ...ListProjects.entries });

export const ListUsers = v.strictObject({
  ...ListProjects.entries,
  email: v.optional(v.pipe(v.string(), v.maxLength(254))),
});

export const ListProjectsOfAll = v.strictObject({
  ...ListProjects.entries,
  reason: v.pipe(v.string(), v.trim(), v.minLength(3), v.maxLength(150)),
});

export const ChangeRoles = v.strictObject({
  roles: v.pipe(v.array(v.pipe(v.string(), v.maxLength(50))), v.maxLength(20)),
});

export const UserBody = v.object({
  id: Id,
  email: v.string(),
  name: v.nullable(v.string()),
  roles: v.array(v.string()),
  createdAt: Timestamp,
  disabledAt: v.nullable(Timestamp),
  mfaEnabled: v.boolean(),
});

export const UserPage = v.object({
  items: v.array(UserBody),
  nextCursor: v.nullable(v.string()),
});

export const ChangeTenant = v.strictObject({
  plan: v.optional(v.picklist(planNames)),
  /** Why it is suspended; `null` lets it in again. */
  suspended: v.optional(
    v.nullable(
      v.strictObject({ reason: v.pipe(v.string(), v.trim(), v.minLength(3), v.maxLength(500)) }),
    ),
  ),
});

export const TenantSummary = v.object({
  id: Id,
  name: v.string(),
  createdAt: Timestamp,
  suspendedAt: v.nullable(Timestamp),
  suspendedReason: v.nullable(v.string()),
  deletionRequestedAt: v.nullable(Timestamp),
});

export const TenantBody = v.object({
  ...TenantSummary.entries,
  /** `null` while the tenant is being deleted. */
  plan: v.nullable(v.picklist(planNames)),
});

/** How far the deletion of a tenant is. */
export const DeletionBody = v.object({
  requestedAt: Timestamp,
  /** Until then it can be brought back. */
  dueAt: Timestamp,
  startedAt: v.nullable(Timestamp),
  /** `null` while it is not done. */
  receipt: v.nullable(
    v.object({
      id: Id,
      tenantId: Id,
      requestedAt: Timestamp,
      startedAt: Timestamp,
      revokedAt: Timestamp,
      completedAt: Timestamp,
      /** How many rows were deleted, by table. */
      rows: v.record(v.string(), v.number()),
      sha256: v.string(),
    }),
  ),
});

export const TenantPage = v.object({
  items: v.array(TenantSummary),
  nextCursor: v.nullable(v.string()),
});
export const ListCallers = v.strictObject({ limit: ListUsers.entries.limit });

// base64url of at most 200 bytes.
export const CallerId = v.strictObject({ id: v.pipe(v.string(), v.regex(/^[\w-]{2,267}$/)) });

export const CallerList = v.object({
  items: v.array(
    v.object({
      id: v.string(),
      caller: v.string(),
      score: v.pipe(v.number(), v.minValue(0)),
      standing: v.picklist(['good', 'slowed', 'blocked']),
      blockedUntil: v.nullable(Timestamp),
    }),
  ),
});
