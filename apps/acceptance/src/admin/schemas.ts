import * as v from 'valibot';
import { ListProjects } from '../projects/schemas.ts';

const Id = v.pipe(v.string(), v.uuid());
const Timestamp = v.pipe(v.string(), v.isoTimestamp());

export const UserId = v.strictObject({ id: Id });

export const ListUsers = v.strictObject({
  limit: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,3}$/), v.transform(Number), v.minValue(1), v.maxValue(100)),
    '50',
  ),
  cursor: v.optional(v.pipe(v.string(), v.maxLength(500))),
  email: v.optional(v.pipe(v.string(), v.maxLength(254))),
});

export const ListProjectsOfAll = v.strictObject({
  ...ListProjects.entries,
  reason: v.pipe(v.string(), v.trim(), v.minLength(3), v.maxLength(200)),
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
