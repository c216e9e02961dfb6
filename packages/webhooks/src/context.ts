import type { Cipher, Clock, Logger, NewId, RandomBytes } from '@svc/core';
import type { Db, Trx } from '@svc/db';
import type { AppendAudit } from './acts.ts';
import type { EventType } from './event-type.ts';
import type { HealthPolicy, Notify } from './health.ts';
import type { QueueDeliveries } from './queue.ts';

/** What the parts of one `createWebhooks` work with. */
export interface WebhooksContext {
  readonly name: string;
  readonly db: Db;
  readonly queue: QueueDeliveries;
  readonly fetch: typeof globalThis.fetch;
  readonly checkUrl: CheckUrl | undefined;
  readonly allowHttp: boolean;
  readonly cipher: Cipher;
  readonly eventTypes: ReadonlyMap<string, EventType>;
  readonly audit: AppendAudit | undefined;
  readonly notify: Notify | undefined;
  readonly health: HealthPolicy;
  readonly retryScheduleMs: readonly number[];
  readonly timeoutMs: number;
  readonly leaseMs: number;
  readonly maxInFlight: number;
  readonly maxPayloadBytes: number;
  readonly maxEndpoints: number;
  readonly hasBodySignature: boolean;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random: RandomBytes;
  readonly logger: Logger;
}

/** Refuses, by throwing, a URL that must not be called; what it throws is logged, and not told. */
export type CheckUrl = (url: string) => unknown;

export interface WriteOptions {
  /** The caller's transaction, opened by `transact`. @default one of its own */
  within?: Trx | undefined;
}

/** From 0 up to 1. */
export function fraction({ random }: Pick<WebhooksContext, 'random'>): number {
  return Buffer.from(random(4)).readUInt32BE(0) / 2 ** 32;
}
