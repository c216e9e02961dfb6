import { actorOf, type Auth, type ManagedUser, UserNotFound } from '@svc/auth';
import {
  type AuthEnv,
  originOf,
  type PagesOptions,
  requirePermission,
  requireUser,
} from '@svc/auth/hono';
import { type Cursors, InvalidCursor, toPage, ValidationFailed } from '@svc/core';
import { type Db, transact } from '@svc/db';
import { operation, validated } from '@svc/http/hono';
import { LastOwner, type Tenancy } from '@svc/tenancy';
import { Hono } from 'hono';
import type { Permission, Role } from '../authorization.ts';
import { positionOf } from '../position.ts';
import { ChangeRoles, ListUsers, UserBody, UserId, UserPage } from './schemas.ts';

const tags = ['Administration'];

interface UserRoutesNeeds {
  auth: Auth<Permission, Role>;
  tenancy: Tenancy;
  cursors: Cursors;
  db: Db;
}

/** `/admin/users`: the people of the app, for staff. */
export function userRoutes({ auth, tenancy, cursors, db }: UserRoutesNeeds, pages: PagesOptions) {
  // Who changes what others may do has just shown who they are (ASVS 5.0 7.5.3).
  const confirmed = requireUser(auth, { ...pages, level: 2, maxAge: '15m' });
  return new Hono<AuthEnv>()
    .use(requireUser(auth, pages))
    .get(
      '/',
      operation({
        id: 'listUsers',
        summary: 'List users, newest first',
        tags,
        responses: { 200: { description: 'A page of users', schema: UserPage } },
        failures: [ValidationFailed, InvalidCursor],
      }),
      requirePermission(auth, 'user.read'),
      validated('query', ListUsers),
      async (c) => {
        const { limit, cursor, email } = c.req.valid('query');
        const before = cursor === undefined ? undefined : positionOf(cursors, 'users', cursor);
        const users = await auth.users.list({ limit: limit + 1, before, email });
        const page = toPage(users.map(toBody), limit, (last) => cursors.encode('users', [last.id]));
        return c.json({ items: [...page.items], nextCursor: page.nextCursor });
      },
    )
    .put(
      '/:id/roles',
      operation({
        id: 'setUserRoles',
        summary: 'Set the roles of a user',
        description: 'In force with the next request of that user.',
        tags,
        responses: { 200: { description: 'The user', schema: UserBody } },
        failures: [UserNotFound],
      }),
      requirePermission(auth, 'user.write'),
      confirmed,
      validated('param', UserId),
      validated('json', ChangeRoles),
      async (c) => {
        const roles = c.req.valid('json').roles as Role[];
        const actor = actorOf(c.get('principal'));
        const options = { origin: originOf(c) };
        const user = await auth.users.setRoles(c.req.valid('param').id, roles, actor, options);
        return c.json(toBody(user));
      },
    )
    .post(
      '/:id/disable',
      operation({
        id: 'disableUser',
        summary: 'Keep a user out',
        description: 'Ends all sessions; API keys are refused.',
        tags,
        responses: { 200: { description: 'The user', schema: UserBody } },
        failures: [UserNotFound],
      }),
      requirePermission(auth, 'user.write'),
      confirmed,
      validated('param', UserId),
      async (c) => {
        const actor = actorOf(c.get('principal'));
        const options = { origin: originOf(c) };
        const user = await auth.users.disable(c.req.valid('param').id, actor, options);
        return c.json(toBody(user));
      },
    )
    .post(
      '/:id/enable',
      operation({
        id: 'enableUser',
        summary: 'Let a user in again',
        tags,
        responses: { 200: { description: 'The user', schema: UserBody } },
        failures: [UserNotFound],
      }),
      requirePermission(auth, 'user.write'),
      confirmed,
      validated('param', UserId),
      async (c) => {
        const actor = actorOf(c.get('principal'));
        const options = { origin: originOf(c) };
        const user = await auth.users.enable(c.req.valid('param').id, actor, options);
        return c.json(toBody(user));
      },
    )
    .delete(
      '/:id',
      operation({
        id: 'deleteUser',
        summary: 'Delete a user for good',
        description:
          'Ends their memberships, and deletes tenants of which nobody else is a member. Refused while they are the last owner of a tenant that has other members.',
        tags,
        responses: { 204: { description: 'There is no such user any more.' } },
        failures: [UserNotFound, LastOwner],
      }),
      requirePermission(auth, 'user.write'),
      confirmed,
      validated('param', UserId),
      async (c) => {
        const { id } = c.req.valid('param');
        const actor = { type: 'user', id: c.get('principal').userId } as const;
        const origin = originOf(c);
        await transact(db, async (within) => {
          await tenancy.members.removeFromAll(id, actor, { within, origin });
          await auth.users.delete(id, actor, { within, origin });
        });
        return c.body(null, 204);
      },
    );
}

const toBody = (user: ManagedUser) => ({
  id: user.id,
  email: user.email,
  name: user.name,
  roles: [...user.roles],
  createdAt: user.createdAt.toISOString(),
  disabledAt: user.disabledAt?.toISOString() ?? null,
  mfaEnabled: user.mfaEnabledAt !== null,
});
