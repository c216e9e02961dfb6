import { afterCommit, transact, type Trx } from '@svc/db';
import type { AuthContext, WriteOptions } from './context.ts';
import { acted } from './events.ts';
import { demandTenant } from './identity-scope.ts';
import { cleanOrigin, type Origin } from './origin.ts';
import { findUser } from './users.ts';

/** What can happen to an account. Names are API: events, audit entries and metrics carry them. */
export const authActTypes = [
  'auth.user.registered',
  'auth.user.verified',
  'auth.user.verification_resent',
  'auth.user.imported',
  'auth.user.renamed',
  'auth.user.disabled',
  'auth.user.enabled',
  'auth.user.deleted',
  'auth.user.roles_changed',
  'auth.login.succeeded',
  'auth.login.failed',
  'auth.login.challenged',
  'auth.login.locked',
  'auth.logout',
  'auth.step_up.succeeded',
  'auth.step_up.failed',
  'auth.session.revoked',
  'auth.session.refreshed',
  'auth.session.refresh_reused',
  'auth.password.changed',
  'auth.password.reset_requested',
  'auth.password.reset',
  'auth.email.change_requested',
  'auth.email.changed',
  'auth.mfa.totp_enrolled',
  'auth.mfa.totp_removed',
  'auth.mfa.failed',
  'auth.mfa.recovery_codes_made',
  'auth.mfa.recovery_code_used',
  'auth.passkey.added',
  'auth.passkey.removed',
  'auth.passkey.counter_regressed',
  'auth.device.trusted',
  'auth.device.forgotten',
  'auth.api_key.created',
  'auth.api_key.rotated',
  'auth.api_key.revoked',
  'auth.identity.linked',
  'auth.identity.unlinked',
  'auth.access.denied',
] as const;
export type AuthActType = (typeof authActTypes)[number];

export interface Actor {
  readonly type: 'user' | 'api_key' | 'system' | 'anonymous';
  readonly id: string | null;
  /** Why, where the system acts. */
  readonly reason?: string;
  /** Whose API key it is; an entry has it among its details. */
  readonly userId?: string;
}

/** One act, as it is told to subscribers and to the audit log. Never holds a secret. */
export interface AuthAct {
  readonly type: AuthActType;
  /** @default success */
  readonly outcome?: 'success' | 'failure' | 'denied';
  /** Whose account it is about; `null` where nobody has the address. */
  readonly userId: string | null;
  /** In which tenant. @default the one whose user it is, where identities belong to tenants */
  readonly tenantId?: string | null;
  /** @default the user; nobody that is known where `userId` is `null` */
  readonly actor?: Actor;
  /** @default the user */
  readonly target?: { readonly type: string; readonly id: string };
  /** Facts that are not personal. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

/** An entry for an audit log; what `@svc/audit` takes. */
export interface AuthAuditEvent extends Omit<AuthAct, 'userId' | 'actor' | 'tenantId'> {
  readonly actor: Actor;
  /** In which tenant, where that is known. */
  readonly tenantId?: string;
  readonly requestId: string | null;
  /** To be kept apart, so that it can be erased. */
  readonly personal: Readonly<Record<string, string | null>>;
}

/** Appends to an audit log in the transaction of the act. */
export type AppendAudit = (event: AuthAuditEvent, options: { within: Trx }) => Promise<void>;

/** Puts an act into the audit log with the transaction that does it, and tells subscribers once it is committed. */
export async function record(
  context: AuthContext,
  trx: Trx,
  act: AuthAct,
  origin: Origin = {},
): Promise<void> {
  const { userId, outcome = 'success' } = act;
  const details = detailsOf(act);
  const tenantId = await tenantOf(context, trx, act, origin);
  const event = toAuditEvent({ ...act, details, tenantId }, cleanOrigin(origin));
  await context.audit?.(event, { within: trx });
  // Whatever it was, this process sees it from the next request on.
  if (userId !== null) afterCommit(trx, () => context.sessions.forget(userId));
  const where = tenantId !== null && { tenantId };
  const told = { type: act.type, outcome, userId, ...where, details };
  afterCommit(trx, () => acted.publish(context.name, told));
}

// What a request says is asked last: a user's act belongs into the log of their tenant, whoever did it and from where.
async function tenantOf(
  { identities }: AuthContext,
  trx: Trx,
  { userId, tenantId }: AuthAct,
  origin: Origin,
): Promise<string | null> {
  if (tenantId !== undefined) return tenantId;
  if (identities === 'global') return null;
  if (userId !== null) return (await findUser(trx, userId)).tenant_id;
  return demandTenant({ identities }, origin);
}

/** Records what is no part of a transaction, such as an attempt that was refused. */
export function recordAlone(
  context: AuthContext,
  act: AuthAct,
  { within, origin }: WriteOptions = {},
): Promise<void> {
  return transact(within ?? context.db, (trx) => record(context, trx, act, origin));
}

const detailsOf = ({ actor, details = {} }: AuthAct) =>
  actor?.userId === undefined ? details : { ...details, userId: actor.userId };

const toActor = ({ type, id, reason }: Actor): Actor =>
  reason === undefined ? { type, id } : { type, id, reason };

function toAuditEvent(act: AuthAct & { tenantId: string | null }, origin: Origin): AuthAuditEvent {
  const { userId, tenantId, actor, target, ...rest } = act;
  const about = target ?? (userId === null ? undefined : { type: 'user', id: userId });
  return {
    ...rest,
    actor: toActor(actor ?? { type: userId === null ? 'anonymous' : 'user', id: userId }),
    ...(about !== undefined && { target: about }),
    ...(tenantId !== null && { tenantId }),
    requestId: origin.requestId ?? null,
    personal: { address: origin.address ?? null, device: origin.device ?? null },
  };
}
