import { isUuid, ValidationFailed } from '@svc/core';
import { transact, type Trx } from '@svc/db';
import { type Actor, type AuthAct, record } from './acts.ts';
import type { AuthContext, WriteOptions } from './context.ts';
import { UserNotFound } from './failures.ts';
import { parseTenant, scopedEmail } from './identity-scope.ts';
import { tablesOf, type UserRow } from './tables.ts';
import { importUser, type UserImport } from './user-import.ts';
import { toUser, type User } from './users.ts';

/** A user as staff see them. */
export interface ManagedUser extends User {
  /** Beside `user`, which everybody has. */
  readonly roles: readonly string[];
  readonly disabledAt: Date | null;
}

/** Users, for those who administer them. The caller has checked the permission; `actor` is for the audit log. */
export interface UserManagement<Role extends string = string> {
  /** Newest first, from below the id `before`; those of a tenant, where identities belong to tenants; by `email`, at most one. @throws {ValidationFailed} for an id or an address that is none @throws {TenantRequired} for an address without its tenant */
  list(query: {
    limit: number;
    before?: string | undefined;
    email?: string | undefined;
    tenantId?: string | undefined;
  }): Promise<readonly ManagedUser[]>;
  /** @throws {UserNotFound} */
  get(userId: string, options?: Pick<WriteOptions, 'within'>): Promise<ManagedUser>;
  /**
   * Takes over a user of another system, whose password works on and is hashed anew at their next login. Mails nobody.
   *
   * @throws {UserExists} when the address has an account, verified or not.
   * @throws {ValidationFailed} for an address, a hash, a name or a role that cannot be.
   */
  import(user: UserImport<Role>, actor: Actor, options?: WriteOptions): Promise<ManagedUser>;
  /** In force with the next request. @throws {UserNotFound} @throws {ValidationFailed} for a name that is no role */
  setRoles(
    userId: string,
    roles: readonly Role[],
    actor: Actor,
    options?: WriteOptions,
  ): Promise<ManagedUser>;
  /** Keeps somebody out: sessions end, API keys are refused, nobody signs in. @throws {UserNotFound} */
  disable(userId: string, actor: Actor, options?: WriteOptions): Promise<ManagedUser>;
  /** Lets them in again; API keys that are alive work again, sessions do not. @throws {UserNotFound} */
  enable(userId: string, actor: Actor, options?: WriteOptions): Promise<ManagedUser>;
  /** Deletes somebody for good, with all that this package holds of them; the address may register anew. Whoever else holds something of theirs does so in the same transaction, before. @throws {UserNotFound} */
  delete(userId: string, actor: Actor, options?: WriteOptions): Promise<void>;
}

export function createUserManagement(context: AuthContext): UserManagement {
  const { db, clock, authorization, sessions } = context;
  /** Changes one user and records it in the same transaction. */
  const change = (
    userId: string,
    { within, origin }: WriteOptions,
    work: (trx: Trx) => Promise<{ row: UserRow | undefined; act: Omit<AuthAct, 'userId'> }>,
  ) =>
    transact(within ?? db, async (trx) => {
      if (!isUuid(userId)) throw new UserNotFound();
      const { row, act } = await work(trx);
      if (row === undefined) throw new UserNotFound();
      await record(context, trx, { ...act, userId }, origin);
      return toManagedUser(row);
    });
  const update = (trx: Trx, userId: string, set: Partial<Pick<UserRow, 'roles' | 'disabled_at'>>) =>
    tablesOf(trx)
      .updateTable('svc_auth.users')
      .set((eb) => ({ ...set, version: eb('version', '+', 1) }))
      .where('id', '=', userId)
      .returningAll()
      .executeTakeFirst();
  const parseRoles = (names: readonly string[]) => {
    const roles = [...new Set(names)].filter((name) => name !== 'user').toSorted();
    if (roles.some((name) => !authorization.isRole(name))) throw unknownRole();
    return roles;
  };
  return {
    async list({ limit, before, email, tenantId }) {
      if (before !== undefined && !isUuid(before)) throw noId();
      const scope = tenantId === undefined ? undefined : parseTenant(context, tenantId);
      const address =
        email === undefined
          ? undefined
          : scopedEmail(email, parseTenant(context, tenantId)).normalized;
      const rows = await tablesOf(db)
        .selectFrom('svc_auth.users')
        .selectAll()
        .$if(before !== undefined, (query) => query.where('id', '<', before as string))
        .$if(address !== undefined, (query) =>
          query.where('email_normalized', '=', address as string),
        )
        .$if(scope !== undefined, (query) =>
          query.where('tenant_id', 'is not distinct from', scope as string | null),
        )
        .orderBy('id', 'desc')
        .limit(limit)
        .execute();
      return rows.map(toManagedUser);
    },
    async get(userId, { within } = {}) {
      const row = isUuid(userId)
        ? await tablesOf(within ?? db)
            .selectFrom('svc_auth.users')
            .selectAll()
            .where('id', '=', userId)
            .executeTakeFirst()
        : undefined;
      if (row === undefined) throw new UserNotFound();
      return toManagedUser(row);
    },
    async import(user, actor, options) {
      const roles = parseRoles(user.roles ?? []);
      return toManagedUser(await importUser(context, { ...user, roles }, actor, options));
    },
    async setRoles(userId, names, actor, options = {}) {
      const roles = parseRoles(names);
      return change(userId, options, async (trx) => {
        const row = await update(trx, userId, { roles });
        const details = { roles: roles.join(' ') };
        return { row, act: { type: 'auth.user.roles_changed', actor, details } };
      });
    },
    disable: (userId, actor, options = {}) =>
      change(userId, options, async (trx) => {
        // The row first: its lock lets a login that is under way finish, and the next one sees it.
        const row = await update(trx, userId, { disabled_at: clock.now() });
        const sessionsEnded = await sessions.revokeAll(trx, userId, 'disabled');
        return { row, act: { type: 'auth.user.disabled', actor, details: { sessionsEnded } } };
      }),
    enable: (userId, actor, options = {}) =>
      change(userId, options, async (trx) => ({
        row: await update(trx, userId, { disabled_at: null }),
        act: { type: 'auth.user.enabled', actor },
      })),
    async delete(userId, actor, options = {}) {
      await change(userId, options, async (trx) => ({
        // Everything else of the account refers to this row, and goes with it.
        row: await tablesOf(trx)
          .deleteFrom('svc_auth.users')
          .where('id', '=', userId)
          .returningAll()
          .executeTakeFirst(),
        act: { type: 'auth.user.deleted', actor },
      }));
    },
  };
}

const toManagedUser = (row: UserRow): ManagedUser => ({
  ...toUser(row),
  roles: row.roles,
  disabledAt: row.disabled_at,
});

const noId = () =>
  new ValidationFailed([
    { pointer: '/before', code: 'uuid', message: 'Must be the id of a user.' },
  ]);

const unknownRole = () =>
  new ValidationFailed([
    { pointer: '/roles', code: 'role', message: 'Must name roles that exist, and nothing else.' },
  ]);
