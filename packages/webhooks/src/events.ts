import { defineEvent } from '@svc/core';
import type { WebhookAct } from './acts.ts';
import type { Notice } from './health.ts';

/** Somebody did something with endpoints or deliveries. */
export const acted = defineEvent<WebhookAct>('svc.webhooks.acted');

/** An event was published and committed. */
export const published = defineEvent<{
  tenantId: string;
  eventId: string;
  type: string;
  /** To how many endpoints it goes. */
  deliveries: number;
}>('svc.webhooks.published');

/** One try is over. */
export const attempted = defineEvent<{
  tenantId: string;
  endpointId: string;
  deliveryId: string;
  attempt: number;
  /** `retrying` will be tried again, `failed` will not. */
  result: 'delivered' | 'retrying' | 'failed' | 'held';
  /** Of the answer; null where there was none. */
  status: number | null;
  durationMs: number;
}>('svc.webhooks.attempted');

/** The owner of an endpoint was told of its state. */
export const noticed = defineEvent<Notice>('svc.webhooks.noticed');

/** An incoming webhook was refused, or had been there before. */
export const incoming = defineEvent<{
  source: string;
  result: 'accepted' | 'duplicate' | 'refused' | 'busy';
}>('svc.webhooks.incoming');
