import { ValidationFailed } from '@svc/core';
import { type HttpEnv, operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import {
  LastOwner,
  MemberNotFound,
  RoleRequired,
  TenantNotFound,
  TenantSuspended,
} from '../failures.ts';
import {
  ChangeRoleSchema,
  ListMembersSchema,
  MemberBody,
  MemberPage,
  MemberParam,
  TenantParam,
} from '../schemas.ts';
import type { Tenancy } from '../tenancy.ts';
import { noStore, toMemberBody } from './answers.ts';
import { originOf } from './principal.ts';
import { forOwners } from './for-owners.ts';
import type { TenantRoutesOptions } from './routes.ts';

const tags = ['Members'];

/** The members of a tenant. */
export function memberRoutes(
  { members }: Tenancy,
  { principal, guard, sensitive = guard }: TenantRoutesOptions,
) {
  const refusals = [TenantNotFound, TenantSuspended, RoleRequired];
  return new Hono<HttpEnv>()
    .get(
      '/:id/members',
      operation({
        id: 'listMembers',
        summary: 'List the members of a tenant',
        tags,
        responses: { 200: { description: 'A page of members.', schema: MemberPage } },
        failures: [ValidationFailed, TenantNotFound],
      }),
      guard,
      noStore,
      validated('param', TenantParam),
      validated('query', ListMembersSchema),
      async (c) => {
        const { limit, after } = c.req.valid('query');
        const query = { by: principal(c).userId, limit: limit + 1, after };
        const found = await members.list(c.req.valid('param').id, query);
        const items = found.slice(0, limit).map(toMemberBody);
        const next = found.length > limit ? (items.at(-1)?.userId ?? null) : null;
        return c.json({ items, next }, 200);
      },
    )
    .put(
      '/:id/members/:userId/role',
      operation({
        id: 'changeMemberRole',
        summary: "Change a member's role",
        description:
          'For owners. The last owner stays one. Making somebody an owner is confirmed like handing over.',
        tags,
        responses: { 200: { description: 'The member.', schema: MemberBody } },
        failures: [ValidationFailed, MemberNotFound, LastOwner, ...refusals],
      }),
      guard,
      validated('param', MemberParam),
      validated('json', ChangeRoleSchema),
      forOwners(sensitive),
      async (c) => {
        const who = principal(c);
        const options = { by: who.userId, origin: originOf(c, who) };
        const { id, userId } = c.req.valid('param');
        const member = await members.changeRole(id, userId, c.req.valid('json').role, options);
        return c.json(toMemberBody(member), 200);
      },
    )
    .delete(
      '/:id/members/:userId',
      operation({
        id: 'removeMember',
        summary: 'Remove a member',
        description: 'For owners; for admins, of those whose role is below theirs.',
        tags,
        responses: { 204: { description: 'They are no member any more.' } },
        failures: [ValidationFailed, MemberNotFound, LastOwner, ...refusals],
      }),
      guard,
      validated('param', MemberParam),
      async (c) => {
        const who = principal(c);
        const options = { by: who.userId, origin: originOf(c, who) };
        const { id, userId } = c.req.valid('param');
        await members.remove(id, userId, options);
        return c.body(null, 204);
      },
    )
    .post(
      '/:id/leave',
      operation({
        id: 'leaveTenant',
        summary: 'Leave a tenant',
        description: 'The last owner hands it over first, or deletes it.',
        tags,
        responses: { 204: { description: 'You are no member any more.' } },
        failures: [ValidationFailed, TenantNotFound, LastOwner],
      }),
      guard,
      validated('param', TenantParam),
      async (c) => {
        const who = principal(c);
        const options = { by: who.userId, origin: originOf(c, who) };
        await members.leave(c.req.valid('param').id, options);
        return c.body(null, 204);
      },
    );
}
