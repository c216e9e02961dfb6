import type { Db } from '@svc/db';
import type { Generated, Kysely } from 'kysely';

/** `disabled` by a person, `gone` by its own 410, `failing` for too long; what waits for it is held. */
export type EndpointStatus = 'enabled' | 'disabled' | 'gone' | 'failing';

export interface EndpointRow {
  tenant_id: string;
  id: string;
  url: string;
  description: string;
  event_types: string[];
  header_names: string[];
  /** JSON of the custom headers, encrypted. */
  sealed_headers: string | null;
  rate_per_minute: number | null;
  is_ordered: boolean;
  status: EndpointStatus;
  created_at: Date;
  updated_at: Date;
  /** The first failure after which nothing succeeded. */
  failing_since: Date | null;
  last_failure_at: Date | null;
  /** In how many hours of the clock something failed since then. */
  failure_hours: number;
  warned_at: Date | null;
  /** Until then nothing is sent. */
  slow_until: Date | null;
  slow_count: number;
  /** When the rate next lets something through. */
  next_slot_at: Date | null;
  /** The one delivery that tries whether a failing endpoint is back. */
  probe_delivery_id: string | null;
  probes: number;
}

export interface SecretRow {
  tenant_id: string;
  id: string;
  endpoint_id: string;
  scheme: 'v1' | 'v1a';
  /** What signs, encrypted. */
  sealed: string;
  /** Of a key pair what receivers verify with. */
  public_key: string | null;
  created_at: Date;
  /** Until when it signs beside the newest one; the newest has none. */
  expires_at: Date | null;
}

export interface EventRow {
  tenant_id: string;
  /** The `webhook-id`. */
  id: string;
  type: string;
  version: number;
  /** The bytes on the wire. */
  body: string;
  created_at: Date;
}

/** `held` waits for its endpoint to be enabled, `cancelled` lost it. */
export type DeliveryStatus = 'pending' | 'delivered' | 'failed' | 'held' | 'cancelled';

export interface DeliveryRow {
  tenant_id: string;
  id: string;
  event_id: string;
  event_type: string;
  endpoint_id: string;
  position: Generated<bigint>;
  /** What goes in order among those of one key; null where order does not matter. */
  order_key: string | null;
  status: DeliveryStatus;
  is_test: boolean;
  /** Grows each time a job is queued for it: a job with another number is stale. */
  turn: number;
  attempts: number;
  /** How many steps of the schedule are used up. */
  step: number;
  /** Whether the rate has let it through at `next_attempt_at`. */
  has_slot: boolean;
  next_attempt_at: Date | null;
  /** By the database's clock. */
  lease_until: Date | null;
  lease_token: string | null;
  created_at: Date;
  finished_at: Date | null;
}

/** `lost` was begun by a process that never came back. */
export type AttemptOutcome = 'sending' | 'succeeded' | 'failed' | 'lost';

export interface AttemptRow {
  tenant_id: string;
  delivery_id: string;
  number: number;
  endpoint_id: string;
  outcome: AttemptOutcome;
  started_at: Date;
  duration_ms: number | null;
  status: number | null;
  /** Why there is no status. */
  error: string | null;
  /** The beginning of the answer, redacted. */
  response: string | null;
}

/** A webhook that came in. */
export interface InboxRow {
  source: string;
  id: string;
  token: string;
  is_done: boolean;
  /** By the database's clock: until when it is claimed, or once done is remembered. */
  until: Date;
}

export interface WebhooksTables {
  'svc_webhooks.endpoints': EndpointRow;
  'svc_webhooks.secrets': SecretRow;
  'svc_webhooks.events': EventRow;
  'svc_webhooks.deliveries': DeliveryRow;
  'svc_webhooks.attempts': AttemptRow;
  'svc_webhooks.inbox': InboxRow;
}

/** The one place where the boundary's untyped database gets this package's tables. */
export function tablesOf(db: Db): Kysely<WebhooksTables> {
  return db;
}
