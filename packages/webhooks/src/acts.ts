import { afterCommit, type Trx } from '@svc/db';
import { acted } from './events.ts';
import type { WebhooksContext } from './context.ts';

/** What people do with endpoints. Names are API: events, audit entries and metrics carry them. */
export const webhookActTypes = [
  'webhooks.endpoint.created',
  'webhooks.endpoint.changed',
  'webhooks.endpoint.deleted',
  'webhooks.endpoint.tested',
  'webhooks.secret.rotated',
  'webhooks.deliveries.replayed',
] as const;
export type WebhookActType = (typeof webhookActTypes)[number];

export interface Actor {
  readonly type: 'user' | 'api_key' | 'system';
  readonly id: string | null;
  /** Why, where the system acts. */
  readonly reason?: string;
}

/** Where a request came from. */
export interface Origin {
  /** The client's IP address. */
  readonly address?: string | undefined;
  /** The user agent. */
  readonly device?: string | undefined;
  readonly requestId?: string | undefined;
}

/** One act. Never holds a secret. */
export interface WebhookAct {
  readonly type: WebhookActType;
  readonly tenantId: string;
  readonly actor: Actor;
  readonly target: { readonly type: 'webhook_endpoint' | 'webhook_delivery'; readonly id: string };
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

/** An entry for an audit log; what `@svc/audit` takes. */
export interface WebhookAuditEvent extends WebhookAct {
  readonly outcome: 'success';
  readonly requestId: string | null;
  /** To be kept apart, so that it can be erased. */
  readonly personal: Readonly<Record<string, string | null>>;
}

/** Appends to an audit log in the transaction of the act. */
export type AppendAudit = (event: WebhookAuditEvent, options: { within: Trx }) => Promise<unknown>;

/** On whose behalf a tenant's endpoints are worked with. The caller has checked that the actor may. */
export interface ActingFor {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly origin?: Origin | undefined;
}

/** Puts an act into the audit log with the transaction that does it, and tells subscribers once it is committed. */
export async function record(
  { name, audit }: WebhooksContext,
  trx: Trx,
  { tenantId, actor, origin = {} }: ActingFor,
  { details = {}, ...rest }: Pick<WebhookAct, 'type' | 'target'> & Partial<WebhookAct>,
): Promise<void> {
  const act: WebhookAct = { ...rest, tenantId, actor, details };
  const { requestId = null, address = null, device = null } = origin;
  const personal = { address, device };
  await audit?.({ ...act, outcome: 'success', requestId, personal }, { within: trx });
  afterCommit(trx, () => acted.publish(name, act));
}
