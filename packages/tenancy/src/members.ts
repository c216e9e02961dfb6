import { isUuid, ValidationFailed } from '@svc/core';
import type { Trx } from '@svc/db';
import type { Actor } from './acts.ts';
import type { ActOptions, TenancyContext, WriteOptions } from './context.ts';
import { LastOwner, MemberNotFound, RoleRequired, TenantNotFound } from './failures.ts';
import { membershipOf } from './memberships.ts';
import { asMember, roleOf, type Standing } from './standing.ts';
import { tablesOf } from './tables.ts';

export interface Member<Role extends string = string> {
  readonly userId: string;
  readonly role: Role;
  readonly joinedAt: Date;
}

export interface Members<Role extends string = string> {
  /** In the order of user ids, from above the id `after`; for members. @throws {TenantNotFound} */
  list(
    tenantId: string,
    query: { by: string; limit: number; after?: string | undefined },
  ): Promise<readonly Member<Role>[]>;
  /** The user ids of the owners, for the service itself: whom to tell what concerns the tenant. */
  owners(tenantId: string, options?: Pick<WriteOptions, 'within'>): Promise<readonly string[]>;
  /** By an owner. In force with the next request. @throws {LastOwner} @throws {MemberNotFound} @throws {TenantNotFound} @throws {TenantSuspended} @throws {RoleRequired} @throws {ValidationFailed} for a name that is no role */
  changeRole(
    tenantId: string,
    userId: string,
    role: NoInfer<Role>,
    options: ActOptions,
  ): Promise<Member<Role>>;
  /** By an owner anybody, by an admin those below. In force with the next request; open invitations by them end. @throws {LastOwner} @throws {MemberNotFound} @throws {TenantNotFound} @throws {TenantSuspended} @throws {RoleRequired} */
  remove(tenantId: string, userId: string, options: ActOptions): Promise<void>;
  /** Also while the tenant is suspended. @throws {LastOwner} @throws {TenantNotFound} */
  leave(tenantId: string, options: ActOptions): Promise<void>;
  /**
   * Ends every membership of a user who is being deleted, with what they had selected and their open invitations. A
   * tenant of which nobody else is a member is deleted with them. The caller has checked that the actor may.
   *
   * @throws {LastOwner} where others would be left without an owner.
   */
  removeFromAll(userId: string, actor: Actor, options?: WriteOptions): Promise<void>;
}

export function createMembers(context: TenancyContext): Omit<Members, 'removeFromAll'> {
  const { db, ladder } = context;
  return {
    async list(tenantId, { by, limit, after }) {
      if ((await membershipOf(db, tenantId, by)) === null) throw new TenantNotFound();
      const rows = await tablesOf(db)
        .selectFrom('svc_tenancy.memberships')
        .selectAll()
        .where('tenant_id', '=', tenantId)
        .$if(after !== undefined, (query) => query.where('user_id', '>', after as string))
        .orderBy('user_id')
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        userId: row.user_id,
        role: row.role,
        joinedAt: row.created_at,
      }));
    },
    async owners(tenantId, { within = db } = {}) {
      if (!isUuid(tenantId)) return [];
      const rows = await tablesOf(within)
        .selectFrom('svc_tenancy.memberships')
        .select('user_id')
        .where('tenant_id', '=', tenantId)
        .where('role', '=', 'owner')
        .orderBy('user_id')
        .execute();
      return rows.map((row) => row.user_id);
    },
    async changeRole(tenantId, userId, role, options) {
      if (!ladder.isRole(role)) throw unknownRole();
      const demand = { act: 'change_role', role: 'owner' };
      return asMember(context, tenantId, options, demand, async ({ trx, ...standing }) => {
        const former = await demandMember(trx, tenantId, userId);
        if (former === 'owner' && role !== 'owner') await demandOtherOwner(trx, tenantId, userId);
        const row = await tablesOf(trx)
          .updateTable('svc_tenancy.memberships')
          .set({ role })
          .where('tenant_id', '=', tenantId)
          .where('user_id', '=', userId)
          .returningAll()
          .executeTakeFirstOrThrow();
        await endInvitationsBeyond(context, trx, tenantId, { userId, role });
        const target = { type: 'user', id: userId };
        const details = { role, former };
        await standing.record({ type: 'tenancy.member.role_changed', target, details });
        return { userId, role, joinedAt: row.created_at };
      });
    },
    async remove(tenantId, userId, options) {
      const demand = { act: 'remove_member', role: 'admin' };
      await asMember(context, tenantId, options, demand, async ({ trx, role, ...standing }) => {
        const theirs = await demandMember(trx, tenantId, userId);
        if (role !== 'owner' && !ladder.exceeds(role, theirs)) throw new RoleRequired();
        await expel(context, trx, tenantId, { userId, role: theirs });
        const target = { type: 'user', id: userId };
        await standing.record({ type: 'tenancy.member.removed', target });
      });
    },
    async leave(tenantId, options) {
      const [least] = ladder.roles as [string, ...string[]];
      const demand = { act: 'leave', role: least, whileSuspended: true };
      const work = async ({ trx, role, record }: Standing) => {
        await expel(context, trx, tenantId, { userId: options.by, role });
        await record({
          type: 'tenancy.member.left',
          target: { type: 'user', id: options.by },
        });
      };
      await asMember(context, tenantId, options, demand, work);
    },
  };
}

interface Whom {
  readonly userId: string;
  readonly role: string;
}

export async function expel(
  context: TenancyContext,
  trx: Trx,
  tenantId: string,
  { userId, role }: Whom,
): Promise<void> {
  if (role === 'owner') await demandOtherOwner(trx, tenantId, userId);
  await tablesOf(trx)
    .deleteFrom('svc_tenancy.memberships')
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .execute();
  await endInvitationsBeyond(context, trx, tenantId, { userId, role: null });
  await context.onMemberRemoved?.(tenantId, userId, { within: trx });
}

async function demandMember(trx: Trx, tenantId: string, userId: string): Promise<string> {
  const role = isUuid(userId) ? await roleOf(trx, tenantId, userId) : undefined;
  if (role === undefined) throw new MemberNotFound();
  return role;
}

// Stays true until the end of the transaction: acts on one tenant come one after the other.
async function demandOtherOwner(trx: Trx, tenantId: string, userId: string): Promise<void> {
  const other = await tablesOf(trx)
    .selectFrom('svc_tenancy.memberships')
    .select('user_id')
    .where('tenant_id', '=', tenantId)
    .where('role', '=', 'owner')
    .where('user_id', '!=', userId)
    .limit(1)
    .executeTakeFirst();
  if (other === undefined) throw new LastOwner();
}

/** Ends invitations that somebody made and may not make any more. */
export async function endInvitationsBeyond(
  { clock, ladder }: TenancyContext,
  trx: Trx,
  tenantId: string,
  { userId, role }: { readonly userId: string; readonly role: string | null },
): Promise<void> {
  const still =
    role !== null && ladder.reaches(role, 'admin')
      ? ladder.roles.filter((each) => ladder.reaches(role, each))
      : [];
  await tablesOf(trx)
    .updateTable('svc_tenancy.invitations')
    .set({ revoked_at: clock.now() })
    .where('tenant_id', '=', tenantId)
    .where('invited_by', '=', userId)
    .where('accepted_at', 'is', null)
    .where('revoked_at', 'is', null)
    .$if(still.length > 0, (query) => query.where('role', 'not in', still))
    .execute();
}

export const unknownRole = () =>
  new ValidationFailed([
    { pointer: '/role', code: 'role', message: 'Must be the name of a role.' },
  ]);
