import { ValidationFailed } from '@svc/core';
import { type HttpEnv, noStore, operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import type { DeliveryFilter } from '../deliveries.ts';
import { DeliveryNotFound, DeliveryPending, EndpointDisabled } from '../failures.ts';
import {
  DeliveryBody,
  DeliveryList,
  DeliveryWithTries,
  IdParam,
  ListDeliveriesSchema,
  ReplayBody,
  ReplaySchema,
  StatsBody,
  StatsSchema,
} from '../schemas.ts';
import type { Webhooks } from '../webhooks.ts';
import { toDeliveryBody, toPageBody, toTryBody } from './answers.ts';
import { ofRequest, type WebhookRoutesOptions } from './options.ts';

const tags = ['Webhooks'];

/** The log of the request's tenant, and replays. */
export function deliveryRoutes(webhooks: Webhooks, options: WebhookRoutesOptions) {
  const { guard } = options;
  return new Hono<HttpEnv>()
    .get(
      '/deliveries',
      operation({
        id: 'listWebhookDeliveries',
        summary: 'List deliveries, newest first',
        tags,
        responses: { 200: { description: 'The deliveries.', schema: DeliveryList } },
        failures: [ValidationFailed],
      }),
      guard,
      noStore,
      validated('query', ListDeliveriesSchema),
      async (c) => {
        const { limit, before, ...filter } = c.req.valid('query');
        const { deliveries } = ofRequest(webhooks, c, options);
        const items = await deliveries.list({ ...toFilter(filter), limit, before });
        return c.json(toPageBody(items.map(toDeliveryBody), limit), 200);
      },
    )
    .get(
      '/deliveries/:id',
      operation({
        id: 'getWebhookDelivery',
        summary: 'Read a delivery, what was sent and every try',
        tags,
        responses: { 200: { description: 'The delivery.', schema: DeliveryWithTries } },
        failures: [ValidationFailed, DeliveryNotFound],
      }),
      guard,
      noStore,
      validated('param', IdParam),
      async (c) => {
        const { deliveries } = ofRequest(webhooks, c, options);
        const { body, tries, ...delivery } = await deliveries.get(c.req.valid('param').id);
        return c.json({ ...toDeliveryBody(delivery), body, tries: tries.map(toTryBody) }, 200);
      },
    )
    .post(
      '/deliveries/:id/replay',
      operation({
        id: 'replayWebhookDelivery',
        summary: 'Send a delivery again, under the same id',
        tags,
        responses: { 202: { description: 'It is on its way.', schema: DeliveryBody } },
        failures: [ValidationFailed, DeliveryNotFound, DeliveryPending, EndpointDisabled],
      }),
      guard,
      validated('param', IdParam),
      async (c) => {
        const { deliveries } = ofRequest(webhooks, c, options);
        return c.json(toDeliveryBody(await deliveries.replay(c.req.valid('param').id)), 202);
      },
    )
    .post(
      '/replay',
      operation({
        id: 'replayWebhookDeliveries',
        summary: 'Send all deliveries again that a filter finds',
        description: 'Those that are over, the oldest first, 10 a second; at most 10 000 at once.',
        tags,
        responses: { 202: { description: 'How many.', schema: ReplayBody } },
        failures: [ValidationFailed],
      }),
      guard,
      validated('json', ReplaySchema),
      async (c) => {
        const { deliveries } = ofRequest(webhooks, c, options);
        return c.json(await deliveries.replayAll(toFilter(c.req.valid('json'))), 202);
      },
    )
    .get(
      '/stats',
      operation({
        id: 'getWebhookStats',
        summary: 'Count deliveries and tries since a time, a day ago unless told',
        tags,
        responses: { 200: { description: 'The counts.', schema: StatsBody } },
        failures: [ValidationFailed],
      }),
      guard,
      noStore,
      validated('query', StatsSchema),
      async (c) => {
        const { endpointId, since } = c.req.valid('query');
        const { deliveries } = ofRequest(webhooks, c, options);
        const from = since === undefined ? undefined : new Date(since);
        return c.json(await deliveries.stats({ endpointId, since: from }), 200);
      },
    );
}

type Submitted = Omit<DeliveryFilter, 'since' | 'until'> & {
  since?: string | undefined;
  until?: string | undefined;
};

const toFilter = ({ since, until, ...rest }: Submitted): DeliveryFilter => ({
  ...rest,
  ...(since !== undefined && { since: new Date(since) }),
  ...(until !== undefined && { until: new Date(until) }),
});
