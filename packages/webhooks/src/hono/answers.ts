import type { Attempt, Delivery } from '../deliveries.ts';
import type { Endpoint, EndpointSecret } from '../endpoint.ts';

const text = (date: Date | null) => date?.toISOString() ?? null;

export const toEndpointBody = (endpoint: Endpoint) => ({
  ...endpoint,
  eventTypes: [...endpoint.eventTypes],
  headerNames: [...endpoint.headerNames],
  failingSince: text(endpoint.failingSince),
  createdAt: endpoint.createdAt.toISOString(),
  updatedAt: endpoint.updatedAt.toISOString(),
});

export const toSecretBody = (secret: EndpointSecret) => ({
  ...secret,
  createdAt: secret.createdAt.toISOString(),
  expiresAt: text(secret.expiresAt),
});

export const toDeliveryBody = (delivery: Delivery) => ({
  ...delivery,
  nextAttemptAt: text(delivery.nextAttemptAt),
  createdAt: delivery.createdAt.toISOString(),
  finishedAt: text(delivery.finishedAt),
});

export const toTryBody = (attempt: Attempt) => ({
  ...attempt,
  startedAt: attempt.startedAt.toISOString(),
});

/** A page of what is listed from the newest on. */
export const toPageBody = <Item extends { readonly id: string }>(
  items: readonly Item[],
  limit: number,
) => ({ items, next: items.length < limit ? null : (items.at(-1)?.id ?? null) });
