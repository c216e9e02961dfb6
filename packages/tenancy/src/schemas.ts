import * as v from 'valibot';

// Cc and Cf: what would break a line or turn the direction of one where the name is shown.
const unprintable = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

/** What a tenant may be called. */
export const TenantName = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1),
  v.maxLength(100),
  v.check((name) => !unprintable.test(name), 'Must be one line of text.'),
);

// One spelling, so that two ids are one only if their texts are.
const Uuid = v.pipe(v.string(), v.uuid(), v.toLowerCase());
const Timestamp = v.pipe(v.string(), v.isoTimestamp());
const Role = v.pipe(v.string(), v.maxLength(40));

export const TenantParam = v.strictObject({ id: Uuid });
export const MemberParam = v.strictObject({ id: Uuid, userId: Uuid });
export const InvitationParam = v.strictObject({ id: Uuid, invitationId: Uuid });

export const NameTenantSchema = v.strictObject({ name: TenantName });
export const ChangeRoleSchema = v.strictObject({ role: Role });
export const TransferSchema = v.strictObject({ userId: Uuid });
export const InviteSchema = v.strictObject({
  email: v.pipe(v.string(), v.maxLength(1016)),
  role: Role,
});
export const AcceptSchema = v.strictObject({ token: v.pipe(v.string(), v.maxLength(100)) });

export const ListMembersSchema = v.strictObject({
  limit: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,3}$/), v.transform(Number), v.minValue(1), v.maxValue(100)),
    '50',
  ),
  after: v.optional(Uuid),
});

export const TenantBody = v.object({
  id: Uuid,
  name: v.string(),
  role: v.string(),
  createdAt: Timestamp,
  suspendedAt: v.nullable(Timestamp),
});
/** When a tenant that was deleted is so for good. */
export const RemovalBody = v.object({ dueAt: Timestamp });
export const TenantList = v.object({ items: v.pipe(v.array(TenantBody), v.maxLength(1000)) });

export const MemberBody = v.object({ userId: Uuid, role: v.string(), joinedAt: Timestamp });
export const MemberPage = v.object({
  items: v.array(MemberBody),
  /** The `after` of the next page. */
  next: v.nullable(Uuid),
});

export const InvitationBody = v.object({
  id: Uuid,
  email: v.string(),
  role: v.string(),
  invitedBy: Uuid,
  createdAt: Timestamp,
  expiresAt: Timestamp,
});
export const InvitationList = v.object({ items: v.array(InvitationBody) });
