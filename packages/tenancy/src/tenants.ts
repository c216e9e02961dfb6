import { isUuid, ValidationFailed } from '@svc/core';
import { StaleVersion, transact, type Trx } from '@svc/db';
import * as v from 'valibot';
import { type Actor, actorOf, record, type TenancyAct } from './acts.ts';
import { cancelByOwner, unfreeze } from './deletion/cancel.ts';
import { insertDeletion } from './deletion/deletions.ts';
import type { ActOptions, TenancyContext, WriteOptions } from './context.ts';
import { MemberNotFound, TenantNotFound } from './failures.ts';
import { endInvitationsBeyond } from './members.ts';
import { membershipOf, membershipsOf } from './memberships.ts';
import { TenantName } from './schemas.ts';
import { asMember, roleOf } from './standing.ts';
import { tablesOf, type TenantRow } from './tables.ts';
import { type ManagedTenant, type TenantOfMember, toManaged, toTenant } from './tenant.ts';

export interface Tenants<Role extends string = string> {
  /** Makes a tenant of which the user is the owner. @throws {ValidationFailed} */
  create(
    input: { name: string },
    options: { ownerId: string } & WriteOptions,
  ): Promise<TenantOfMember<Role>>;
  /** @throws {TenantNotFound} also for who is no member */
  get(tenantId: string, options: { by: string }): Promise<TenantOfMember<Role>>;
  /** Those of which the user is a member, by name; at most 1000. */
  listOf(userId: string): Promise<readonly TenantOfMember<Role>[]>;
  /** By an admin or an owner; where `versions` are given, of one of these alone. @throws {TenantNotFound} @throws {TenantSuspended} @throws {RoleRequired} @throws {ValidationFailed} @throws {StaleVersion} */
  rename(
    tenantId: string,
    input: { name: string },
    options: ActOptions & { versions?: readonly number[] | undefined },
  ): Promise<TenantOfMember<Role>>;
  /** Makes a member an owner, and the owner who does it an admin. @throws {MemberNotFound} @throws {TenantNotFound} @throws {TenantSuspended} @throws {RoleRequired} @throws {ValidationFailed} to oneself */
  transferOwnership(tenantId: string, userId: string, options: ActOptions): Promise<void>;
  /** By an owner: freezes the tenant, which from then on exists for nobody, and has `onDeletionRequested` delete it when it is due. @throws {TenantNotFound} @throws {TenantSuspended} @throws {RoleRequired} */
  remove(tenantId: string, options: ActOptions): Promise<{ readonly dueAt: Date }>;
  /** By an owner, before the deletion has begun: the tenant is as it was. @throws {TenantNotFound} @throws {TenantSuspended} @throws {RoleRequired} @throws {DeletionBegun} */
  cancelRemoval(tenantId: string, options: ActOptions): Promise<void>;
  /** Of any tenant; the caller has checked that the actor may. Nobody gets in from the next request on. @throws {TenantNotFound} @throws {ValidationFailed} without a reason */
  suspend(
    tenantId: string,
    input: { reason: string },
    actor: Actor,
    options?: WriteOptions,
  ): Promise<ManagedTenant>;
  /** The same, back. @throws {TenantNotFound} */
  resume(tenantId: string, actor: Actor, options?: WriteOptions): Promise<ManagedTenant>;
  /** Of any tenant, before its deletion has begun: it is as it was. The caller has checked that the actor may. @throws {TenantNotFound} @throws {DeletionBegun} */
  restore(tenantId: string, actor: Actor, options?: WriteOptions): Promise<ManagedTenant>;
  /** Any tenant; the caller has checked that the actor may. */
  find(tenantId: string): Promise<ManagedTenant | null>;
  /** All tenants, the newest first, from below the id `before`; the caller has checked that the actor may. */
  list(query: { limit: number; before?: string | undefined }): Promise<readonly ManagedTenant[]>;
}

export function createTenants(context: TenancyContext): Tenants {
  const { db, clock, newId } = context;
  return {
    async create(input, { ownerId, ...options }) {
      const name = parseTenantName(input.name);
      if (!isUuid(ownerId)) throw new TypeError('the owner is a user, by the id');
      return transact(options.within ?? db, async (trx) => {
        const now = clock.now();
        const tenant = await tablesOf(trx)
          .insertInto('svc_tenancy.tenants')
          .values({ id: newId(), name, version: 1, created_at: now, updated_at: now })
          .returningAll()
          .executeTakeFirstOrThrow();
        await tablesOf(trx)
          .insertInto('svc_tenancy.memberships')
          .values({ tenant_id: tenant.id, user_id: ownerId, role: 'owner', created_at: now })
          .execute();
        const actor = actorOf(ownerId, options);
        const act = { type: 'tenancy.tenant.created', tenantId: tenant.id, actor } as const;
        await record(context, trx, act, options);
        return { ...toTenant(tenant), role: 'owner' };
      });
    },
    async get(tenantId, { by }) {
      const membership = await membershipOf(db, tenantId, by);
      if (membership === null) throw new TenantNotFound();
      return { ...membership.tenant, role: membership.role };
    },
    listOf: (userId) => membershipsOf(db, userId),
    async rename(tenantId, input, options) {
      const name = parseTenantName(input.name);
      const demand = { act: 'rename', role: 'admin' };
      return asMember(context, tenantId, options, demand, async ({ trx, role, ...standing }) => {
        if (options.versions?.includes(standing.tenant.version) === false) throw new StaleVersion();
        const row = await changeTenant(context, trx, tenantId, { name });
        await standing.record({ type: 'tenancy.tenant.renamed' });
        return { ...toTenant(row), role };
      });
    },
    transferOwnership: (tenantId, userId, options) => transfer(context, tenantId, userId, options),
    async remove(tenantId, options) {
      const demand = { act: 'remove_tenant', role: 'owner' };
      return asMember(context, tenantId, options, demand, async ({ trx, ...standing }) => {
        const dueAt = await requestDeletion(context, trx, tenantId);
        await standing.record({ type: 'tenancy.tenant.deletion_requested' });
        return { dueAt };
      });
    },
    cancelRemoval: (tenantId, options) => cancelByOwner(context, tenantId, options),
    ...createManagement(context),
  };
}

function createManagement(
  context: TenancyContext,
): Pick<Tenants, 'suspend' | 'resume' | 'restore' | 'find' | 'list'> {
  const { db, clock } = context;
  const change = (
    tenantId: string,
    set: Partial<TenantRow>,
    act: Pick<TenancyAct, 'type' | 'actor'>,
    options: WriteOptions = {},
  ) =>
    transact(options.within ?? db, async (trx) => {
      if (!isUuid(tenantId)) throw new TenantNotFound();
      const row = await changeTenant(context, trx, tenantId, set);
      await record(context, trx, { ...act, tenantId: row.id }, options);
      return toManaged(row);
    });
  return {
    async suspend(tenantId, { reason }, actor, options) {
      const why = reason.trim();
      if (why === '' || why.length > 500) {
        const message = 'Must say why, in at most 500 characters.';
        throw new ValidationFailed([{ pointer: '/reason', code: 'reason', message }]);
      }
      const set = { suspended_at: clock.now(), suspended_reason: why };
      return change(tenantId, set, { type: 'tenancy.tenant.suspended', actor }, options);
    },
    async resume(tenantId, actor, options) {
      const set = { suspended_at: null, suspended_reason: null };
      return change(tenantId, set, { type: 'tenancy.tenant.resumed', actor }, options);
    },
    restore: (tenantId, actor, options = {}) =>
      transact(options.within ?? db, async (trx) => {
        if (!isUuid(tenantId)) throw new TenantNotFound();
        return toManaged(await unfreeze(context, trx, { tenantId, actor }, options));
      }),
    async find(tenantId) {
      if (!isUuid(tenantId)) return null;
      const row = await tablesOf(db)
        .selectFrom('svc_tenancy.tenants')
        .selectAll()
        .where('id', '=', tenantId)
        .executeTakeFirst();
      return row === undefined ? null : toManaged(row);
    },
    async list({ limit, before }) {
      const rows = await tablesOf(db)
        .selectFrom('svc_tenancy.tenants')
        .selectAll()
        .$if(before !== undefined, (query) => query.where('id', '<', before as string))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute();
      return rows.map(toManaged);
    },
  };
}

/** Freezes a tenant, and has it deleted; gives when. @throws {TenantNotFound} */
export async function requestDeletion(
  context: TenancyContext,
  trx: Trx,
  tenantId: string,
): Promise<Date> {
  const requestedAt = context.clock.now();
  const dueAt = new Date(requestedAt.getTime() + context.deletionGraceMs);
  await changeTenant(context, trx, tenantId, { deletion_requested_at: requestedAt });
  const dates = { requested_at: requestedAt, due_at: dueAt };
  await insertDeletion(trx, { id: context.newId(), tenant_id: tenantId, ...dates });
  await context.onDeletionRequested?.(tenantId, { within: trx, dueAt });
  return dueAt;
}

async function transfer(
  context: TenancyContext,
  tenantId: string,
  userId: string,
  options: ActOptions,
): Promise<void> {
  if (userId.toLowerCase() === options.by.toLowerCase()) {
    const message = 'Must be another member.';
    throw new ValidationFailed([{ pointer: '/userId', code: 'self', message }]);
  }
  const demand = { act: 'transfer_ownership', role: 'owner' };
  await asMember(context, tenantId, options, demand, async ({ trx, ...standing }) => {
    const known = isUuid(userId) ? await roleOf(trx, tenantId, userId) : undefined;
    if (known === undefined) throw new MemberNotFound();
    for (const [member, role] of [
      [userId, 'owner'],
      [options.by, 'admin'],
    ] as const) {
      await tablesOf(trx)
        .updateTable('svc_tenancy.memberships')
        .set({ role })
        .where('tenant_id', '=', tenantId)
        .where('user_id', '=', member)
        .execute();
    }
    await endInvitationsBeyond(context, trx, tenantId, { userId: options.by, role: 'admin' });
    const target = { type: 'user', id: userId };
    await standing.record({ type: 'tenancy.ownership.transferred', target });
  });
}

async function changeTenant(
  { clock }: TenancyContext,
  trx: Trx,
  tenantId: string,
  set: Partial<TenantRow>,
): Promise<TenantRow> {
  const row = await tablesOf(trx)
    .updateTable('svc_tenancy.tenants')
    .set((eb) => ({ ...set, updated_at: clock.now(), version: eb('version', '+', 1) }))
    .where('id', '=', tenantId)
    .where('deletion_requested_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw new TenantNotFound();
  return row;
}

function parseTenantName(name: string): string {
  const result = v.safeParse(TenantName, name);
  if (result.success) return result.output;
  const message = 'Must be one line of 1 to 100 characters.';
  throw new ValidationFailed([{ pointer: '/name', code: 'name', message }]);
}
