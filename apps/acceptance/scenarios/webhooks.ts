import { expect } from 'vitest';
import { waitFor } from '../gate/wait.ts';
import { control, expectJson, request } from './client.ts';

export interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly status: string;
}

export interface Delivery {
  readonly id: string;
  readonly eventId: string;
  readonly status: string;
  readonly attempts: number;
  readonly nextAttemptAt: string | null;
  readonly tries: readonly {
    readonly number: number;
    readonly outcome: string;
    readonly status: number | null;
    readonly error: string | null;
    readonly response: string | null;
  }[];
}

/** A path of the sink that nobody else uses. */
export const newPath = () => `/${crypto.randomUUID()}`;

/** Has webhooks of the tenant sent to a path of the sink; the secret is shown this once. */
export async function createEndpoint(as: string, path: string, more: object = {}) {
  const { url } = await control('hooks/places');
  const json = { url: `${url}${path}`, ...more };
  return expectJson<{ endpoint: Endpoint; secret: string }>(
    request('/webhooks/endpoints', { as, json }),
    201,
  );
}

/** What came to a path, once it is so many. */
export const received = (path: string, count: number) => control('hooks/received', { path, count });

export async function createProject(as: string, json: object = { name: 'Apollo' }) {
  return expectJson<{ id: string; version: number }>(request('/projects', { as, json }), 201);
}

export const deliveryOf = (as: string, id: string) =>
  expectJson<Delivery>(request(`/webhooks/deliveries/${id}`, { as }));

/** The deliveries to an endpoint, newest first. */
export async function deliveriesTo(as: string, endpointId: string) {
  const path = `/webhooks/deliveries?endpointId=${endpointId}`;
  const { items } = await expectJson<{ items: Delivery[] }>(request(path, { as }));
  return items;
}

/** The delivery, once it is in one of these states. */
export const settled = (as: string, id: string, ...states: string[]) =>
  waitFor(`the delivery to be ${states.join(' or ')}`, 15_000, async () => {
    const delivery = await deliveryOf(as, id);
    return states.includes(delivery.status) ? delivery : undefined;
  });

/** Sends a test event, which is tried once, and answers its delivery when that is over. */
export async function sendTest(as: string, endpointId: string): Promise<Delivery> {
  const path = `/webhooks/endpoints/${endpointId}/test`;
  const sent = request(path, { method: 'POST', as });
  const { deliveryId } = await expectJson<{ deliveryId: string }>(sent, 202);
  return settled(as, deliveryId, 'delivered', 'failed');
}

/** The one delivery to an endpoint, once it is in one of these states. */
export async function onlyDelivery(as: string, endpointId: string, ...states: string[]) {
  const deliveries = await deliveriesTo(as, endpointId);
  expect(deliveries).toHaveLength(1);
  return settled(as, deliveries[0]?.id as string, ...states);
}
