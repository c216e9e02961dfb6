import { canonicalJson, isUuid, type RandomBytes } from '@svc/core';
import { commitTo } from './commitments.ts';
import { serviceChain } from './entry.ts';
import type { PendingRow } from './tables.ts';

/** Something that happened and must be accounted for. */
export interface AuditEvent {
  /** What happened, `package.thing.verb`: `auth.session.revoked`, `projects.deleted`. */
  readonly type: string;
  /** @default 'success' */
  readonly outcome?: AuditOutcome;
  readonly actor: AuditActor;
  /** What it was done to. */
  readonly target?: { readonly type: string; readonly id: string };
  /** Whose log it belongs to; `null` is the service's own. @default null */
  readonly tenantId?: string | null;
  readonly requestId?: string | null;
  /** Facts that stay for ever. Never anything personal: it could not be erased. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
  /** Address, device, e-mail: kept beside the chain and erasable; the chain has salted commitments of them. */
  readonly personal?: Readonly<Record<string, string | null>>;
}

export type AuditOutcome = 'success' | 'failure' | 'denied';

/** Who did it; by an identifier that means nobody outside the service. */
export interface AuditActor {
  readonly type: 'user' | 'api_key' | 'system' | 'anonymous';
  readonly id: string | null;
  /** Why the system acted, or why a person said they did. */
  readonly reason?: string;
}

const outcomes: ReadonlySet<string> = new Set(['success', 'failure', 'denied']);
const actorTypes: ReadonlySet<string> = new Set(['user', 'api_key', 'system', 'anonymous']);
const typePattern = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+$/;

const maxNames = 50;
const maxIdLength = 200;
const maxTextLength = 2000;

/** The row that waits to be sealed. @throws {TypeError} when the event is not one. */
export function toPending(
  event: AuditEvent,
  { id, atMs, random }: { id: string; atMs: number; random: RandomBytes },
): PendingRow {
  assertEvent(event);
  const { actor, target, outcome = 'success', requestId = null, tenantId = null } = event;
  const { commitments, disclosures } = commitTo(presentTexts(event.personal ?? {}), random);
  const canonical = canonicalJson({
    id,
    type: event.type,
    outcome,
    actor: {
      type: actor.type,
      id: actor.id === null ? null : storable(actor.id, maxIdLength),
      reason: actor.reason === undefined ? null : storable(actor.reason, maxTextLength),
    },
    target:
      target === undefined
        ? null
        : { type: storable(target.type, maxIdLength), id: storable(target.id, maxIdLength) },
    requestId: requestId === null ? null : storable(requestId, maxIdLength),
    details: storableDetails(event.details ?? {}),
    personal: commitments,
  });
  return {
    tenant_id: tenantId === null ? serviceChain : tenantId.toLowerCase(),
    id,
    at_ms: atMs,
    event: canonical,
    personal: Object.keys(disclosures).length === 0 ? null : JSON.stringify(disclosures),
  };
}

function assertEvent({ type, outcome, actor, tenantId, details, personal }: AuditEvent): void {
  if (type.length > 100 || !typePattern.test(type))
    throw new TypeError(
      "the type of an audit event is two or more words with dots: 'app.thing.done'",
    );
  if (outcome !== undefined && !outcomes.has(outcome))
    throw new TypeError('the outcome of an audit event is success, failure or denied');
  if (!actorTypes.has(actor.type))
    throw new TypeError('the actor of an audit event is a user, api_key, system or anonymous');
  if (tenantId !== undefined) assertTenantId(tenantId);
  for (const record of [details ?? {}, personal ?? {}]) {
    if (Object.keys(record).length > maxNames)
      throw new TypeError(`an audit event has at most ${maxNames} details, and personal values`);
  }
}

/** @throws {TypeError} unless it is a UUID other than the nil UUID, or `null`. */
export function assertTenantId(tenantId: string | null): void {
  if (tenantId === null) return;
  if (!isUuid(tenantId) || tenantId === serviceChain)
    throw new TypeError('the tenant of an audit log is a UUID, not the nil UUID, or null');
}

function presentTexts(personal: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(personal).flatMap(([name, value]) =>
      value === null ? [] : [[storable(name, maxIdLength), storable(value, maxTextLength)]],
    ),
  );
}

function storableDetails(details: NonNullable<AuditEvent['details']>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(details).map(([name, value]) => [
      storable(name, maxIdLength),
      typeof value === 'string' ? storable(value, maxTextLength) : value,
    ]),
  );
}

// What a client sends (a device, a request id) must not be able to keep its act out of the log: it is cut and
// mended, not refused. PostgreSQL stores no NUL, JSON no lone surrogate.
function storable(text: string, maxLength: number): string {
  return text.slice(0, maxLength).toWellFormed().replaceAll('\0', '\uFFFD');
}
