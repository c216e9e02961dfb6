import { afterCommit, afterEnd, transact, type Trx } from '@svc/db';
import type { TenancyContext, WriteOptions } from './context.ts';
import { acted } from './events.ts';

/** What can happen to a tenant. Names are API: events, audit entries and metrics carry them. */
export const tenancyActTypes = [
  'tenancy.tenant.created',
  'tenancy.tenant.renamed',
  'tenancy.tenant.suspended',
  'tenancy.tenant.resumed',
  'tenancy.tenant.deletion_requested',
  'tenancy.tenant.deletion_cancelled',
  'tenancy.tenant.deleted',
  'tenancy.tenant.exported',
  'tenancy.tenant.imported',
  'tenancy.tenant.selected',
  'tenancy.ownership.transferred',
  'tenancy.member.role_changed',
  'tenancy.member.removed',
  'tenancy.member.left',
  'tenancy.invitation.created',
  'tenancy.invitation.revoked',
  'tenancy.invitation.accepted',
  'tenancy.access.denied',
] as const;
export type TenancyActType = (typeof tenancyActTypes)[number];

export interface Actor {
  readonly type: 'user' | 'api_key' | 'system';
  readonly id: string | null;
  /** Why, where the system acts. */
  readonly reason?: string;
}

/** One act, as it is told to subscribers and to the audit log. Never holds a secret. */
export interface TenancyAct {
  readonly type: TenancyActType;
  /** @default success */
  readonly outcome?: 'success' | 'denied';
  readonly tenantId: string;
  readonly actor: Actor;
  /** @default the tenant */
  readonly target?: { readonly type: string; readonly id: string };
  /** Facts that are not personal. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
  /** The address of an invitation. */
  readonly email?: string;
}

/** An entry for an audit log; what `@svc/audit` takes. */
export interface TenancyAuditEvent extends Omit<TenancyAct, 'email'> {
  readonly target: { readonly type: string; readonly id: string };
  readonly requestId: string | null;
  /** To be kept apart, so that it can be erased. */
  readonly personal: Readonly<Record<string, string | null>>;
}

/** Appends to an audit log in the transaction of the act. */
export type AppendAudit = (event: TenancyAuditEvent, options: { within: Trx }) => Promise<unknown>;

/** Puts an act into the audit log with the transaction that does it, and tells subscribers once it is committed. */
export async function record(
  context: Pick<TenancyContext, 'audit' | 'name'>,
  trx: Trx,
  act: TenancyAct,
  { origin = {} }: WriteOptions = {},
): Promise<void> {
  const { email, target = { type: 'tenant', id: act.tenantId }, ...rest } = act;
  const { requestId = null, address = null, device = null } = origin;
  const personal = { address, device, ...(email !== undefined && { email }) };
  await context.audit?.({ ...rest, target, requestId, personal }, { within: trx });
  const { type, outcome = 'success', tenantId, actor, details = {} } = act;
  afterCommit(trx, () =>
    acted.publish(context.name, { type, outcome, tenantId, actor, target, details }),
  );
}

/** Records what was refused: of the caller's transaction once that is over, which mostly takes everything back. */
export async function recordAlone(
  context: TenancyContext,
  act: TenancyAct,
  options: WriteOptions = {},
): Promise<void> {
  const { within } = options;
  const alone = () => transact(context.db, (trx) => record(context, trx, act, options));
  if (within === undefined) await alone();
  else afterEnd(within, alone);
}

/** Who acts: the key that a request was made with, or else the person. */
export function actorOf(by: string, { origin }: WriteOptions): Actor {
  const apiKeyId = origin?.apiKeyId;
  return apiKeyId === undefined ? { type: 'user', id: by } : { type: 'api_key', id: apiKeyId };
}
