import { isUuid, sha256 } from '@svc/core';
import { transact, type Trx } from '@svc/db';
import { actorOf, record } from './acts.ts';
import type { ActOptions, TenancyContext, WriteOptions } from './context.ts';
import { parseAddress } from './email.ts';
import {
  InvalidInvitation,
  InvitationForAnother,
  InvitationNotFound,
  RoleRequired,
  TenantSuspended,
  TooManyInvitations,
} from './failures.ts';
import { type Membership, membershipOf } from './memberships.ts';
import { unknownRole } from './members.ts';
import { asMember, lockTenant } from './standing.ts';
import { type InvitationRow, tablesOf } from './tables.ts';

export interface Invitation<Role extends string = string> {
  readonly id: string;
  readonly email: string;
  readonly role: Role;
  readonly invitedBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** What the page of a link shows. */
export interface InvitationPreview<Role extends string = string> {
  readonly tenantName: string;
  readonly role: Role;
  readonly expiresAt: Date;
}

export interface Invitations<Role extends string = string> {
  /** By an admin or an owner, at most to their own role: mails a link that works once. A former open one to the address ends. @throws {TooManyInvitations} @throws {TenantNotFound} @throws {TenantSuspended} @throws {RoleRequired} @throws {ValidationFailed} */
  create(
    tenantId: string,
    input: { email: string; role: NoInfer<Role> },
    options: ActOptions,
  ): Promise<Invitation<Role>>;
  /** Those that can be accepted, the newest first; for admins and owners. @throws {TenantNotFound} @throws {TenantSuspended} @throws {RoleRequired} */
  list(tenantId: string, options: ActOptions): Promise<readonly Invitation<Role>[]>;
  /** By an admin or an owner, at most to their own role. @throws {InvitationNotFound} @throws {TenantNotFound} @throws {TenantSuspended} @throws {RoleRequired} */
  revoke(tenantId: string, invitationId: string, options: ActOptions): Promise<void>;
  /** What a token invites to, if it would be accepted now; uses nothing up. */
  preview(token: string): Promise<InvitationPreview<Role> | null>;
  /** Makes a user a member, once. `email` is their verified address. Who is a member already keeps their role. @throws {InvalidInvitation} @throws {InvitationForAnother} @throws {TenantSuspended} */
  accept(
    input: { token: string; userId: string; email: string },
    options?: WriteOptions,
  ): Promise<Membership<Role>>;
}

/** Whether a text can be a token of ours: 256 bits in base64url. */
export const isTokenShaped = (token: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(token);

export function createInvitations(context: TenancyContext): Invitations {
  const { db, ladder, clock } = context;
  return {
    create: (tenantId, input, options) => invite(context, tenantId, input, options),
    list(tenantId, options) {
      const demand = { act: 'list_invitations', role: 'admin' };
      return asMember(context, tenantId, options, demand, async ({ trx }) => {
        const rows = await openOf(context, trx, tenantId).orderBy('id', 'desc').execute();
        return rows.map(toInvitation);
      });
    },
    async revoke(tenantId, invitationId, options) {
      const demand = { act: 'revoke_invitation', role: 'admin' };
      await asMember(context, tenantId, options, demand, async ({ trx, role, ...standing }) => {
        const row = isUuid(invitationId)
          ? await openOf(context, trx, tenantId).where('id', '=', invitationId).executeTakeFirst()
          : undefined;
        if (row === undefined) throw new InvitationNotFound();
        if (!ladder.reaches(role, row.role)) throw new RoleRequired();
        await end(context, trx, tenantId, { id: row.id });
        const target = { type: 'invitation', id: row.id };
        await standing.record({ type: 'tenancy.invitation.revoked', target });
      });
    },
    async preview(token) {
      if (!isTokenShaped(token)) return null;
      const row = await tablesOf(db)
        .selectFrom('svc_tenancy.invitations as i')
        .innerJoin('svc_tenancy.tenants as t', 't.id', 'i.tenant_id')
        .select(['t.name', 'i.role', 'i.expires_at', 'i.invited_by'])
        .where('i.token_hash', '=', sha256(token))
        .where('i.accepted_at', 'is', null)
        .where('i.revoked_at', 'is', null)
        .where('i.expires_at', '>', clock.now())
        .where('t.deletion_requested_at', 'is', null)
        .executeTakeFirst();
      if (row === undefined) return null;
      const isGood = await transact(db, (trx) => mayStill(context, trx, row));
      if (!isGood) return null;
      return { tenantName: row.name, role: row.role, expiresAt: row.expires_at };
    },
    accept: (input, options = {}) => accept(context, input, options),
  };
}

async function invite(
  context: TenancyContext,
  tenantId: string,
  input: { email: string; role: string },
  options: ActOptions,
): Promise<Invitation> {
  const { address, normalized } = parseAddress(input.email);
  if (!context.ladder.isRole(input.role)) throw unknownRole();
  const demand = { act: 'invite', role: 'admin' };
  return asMember(context, tenantId, options, demand, async ({ trx, role, ...standing }) => {
    if (!context.ladder.reaches(role, input.role)) throw new RoleRequired();
    const former = await openOf(context, trx, tenantId)
      .where('email_normalized', '=', normalized)
      .executeTakeFirst();
    // It would end one that they could not revoke.
    if (former !== undefined && !context.ladder.reaches(role, former.role))
      throw new RoleRequired();
    await end(context, trx, tenantId, { email: normalized });
    const openNow = await openOf(context, trx, tenantId).execute();
    if (openNow.length >= context.maxOpenInvitations) throw new TooManyInvitations();
    const now = context.clock.now();
    const row = await tablesOf(trx)
      .insertInto('svc_tenancy.invitations')
      .values({
        id: context.newId(),
        tenant_id: tenantId,
        email: address,
        email_normalized: normalized,
        role: input.role,
        token_hash: null,
        invited_by: options.by,
        created_at: now,
        expires_at: new Date(now.getTime() + context.invitationTtlMs),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    const request = { template: 'invitation', invitationId: row.id } as const;
    await context.queueMail(request, { within: trx });
    const target = { type: 'invitation', id: row.id };
    const details = { role: row.role };
    await standing.record({ type: 'tenancy.invitation.created', target, details, email: address });
    return toInvitation(row);
  });
}

async function accept(
  context: TenancyContext,
  { token, userId, email }: { token: string; userId: string; email: string },
  options: WriteOptions,
): Promise<Membership> {
  if (!isTokenShaped(token) || !isUuid(userId)) throw new InvalidInvitation();
  const { normalized } = parseAddress(email);
  const actor = actorOf(userId, options);
  const hash = sha256(token);
  const outcome = await transact(options.within ?? context.db, async (trx) => {
    const found = await open(context, trx)
      .select(['tenant_id', 'email_normalized'])
      .where('token_hash', '=', hash)
      .executeTakeFirst();
    if (found === undefined) throw new InvalidInvitation();
    const tenantId = found.tenant_id;
    if (found.email_normalized !== normalized) {
      const details = { act: 'accept_invitation' };
      const denied = { type: 'tenancy.access.denied', outcome: 'denied', details } as const;
      await record(context, trx, { ...denied, tenantId, actor }, options);
      return null;
    }
    // The tenant before the invitation, in which order everybody takes them.
    const tenant = await lockTenant(trx, tenantId);
    if (tenant === undefined) throw new InvalidInvitation();
    if (tenant.suspended_at !== null) throw new TenantSuspended();
    const row = await consume(context, trx, hash, userId);
    if (row === undefined || !(await mayStill(context, trx, row))) throw new InvalidInvitation();
    await tablesOf(trx)
      .insertInto('svc_tenancy.memberships')
      .values({
        tenant_id: tenantId,
        user_id: userId,
        role: row.role,
        created_at: context.clock.now(),
      })
      .onConflict((conflict) => conflict.columns(['tenant_id', 'user_id']).doNothing())
      .execute();
    const target = { type: 'invitation', id: row.id };
    const act = { type: 'tenancy.invitation.accepted', tenantId, target } as const;
    await record(context, trx, { ...act, actor, details: { role: row.role } }, options);
    return membershipOf(trx, tenantId, userId);
  });
  // Here, so that the audit log keeps it.
  if (outcome === null) throw new InvitationForAnother();
  return outcome;
}

// Who is no member any more has no open invitations; who was shut out of the app may come back.
const mayStill = async (
  { mayInvite }: TenancyContext,
  trx: Trx,
  { invited_by: userId }: Pick<InvitationRow, 'invited_by'>,
): Promise<boolean> =>
  mayInvite === undefined || (await mayInvite(userId, { within: trx })) === true;

// One statement: of any number at once, one gets the row.
function consume({ clock }: TenancyContext, trx: Trx, hash: Uint8Array, userId: string) {
  const now = clock.now();
  return tablesOf(trx)
    .updateTable('svc_tenancy.invitations')
    .set({ accepted_at: now, accepted_by: userId })
    .where('token_hash', '=', hash)
    .where('accepted_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .returningAll()
    .executeTakeFirst();
}

const open = ({ clock }: TenancyContext, trx: Trx) =>
  tablesOf(trx)
    .selectFrom('svc_tenancy.invitations')
    .where('accepted_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', clock.now());

const openOf = (context: TenancyContext, trx: Trx, tenantId: string) =>
  open(context, trx).selectAll().where('tenant_id', '=', tenantId);

async function end(
  { clock }: TenancyContext,
  trx: Trx,
  tenantId: string,
  which: { readonly id: string } | { readonly email: string },
): Promise<void> {
  await tablesOf(trx)
    .updateTable('svc_tenancy.invitations')
    .set({ revoked_at: clock.now() })
    .where('tenant_id', '=', tenantId)
    .where('accepted_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('id' in which ? 'id' : 'email_normalized', '=', 'id' in which ? which.id : which.email)
    .execute();
}

const toInvitation = (row: InvitationRow): Invitation => ({
  id: row.id,
  email: row.email,
  role: row.role,
  invitedBy: row.invited_by,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
});
