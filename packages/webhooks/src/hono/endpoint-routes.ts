import { ValidationFailed } from '@svc/core';
import { type HttpEnv, noStore, operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import {
  EndpointDisabled,
  EndpointNotFound,
  TooManyEndpoints,
  TooManySecrets,
} from '../failures.ts';
import {
  CreateEndpointSchema,
  EndpointBody,
  EndpointList,
  EndpointWithSecretBody,
  EventTypeList,
  IdParam,
  ListSchema,
  RotateSchema,
  SecretList,
  TestBody,
  UpdateEndpointSchema,
} from '../schemas.ts';
import type { Webhooks } from '../webhooks.ts';
import { toEndpointBody, toPageBody, toSecretBody } from './answers.ts';
import { ofRequest, type WebhookRoutesOptions } from './options.ts';

const tags = ['Webhooks'];

/** The endpoints of the request's tenant. */
export function endpointRoutes(webhooks: Webhooks, options: WebhookRoutesOptions) {
  const { guard } = options;
  return new Hono<HttpEnv>()
    .get(
      '/event-types',
      operation({
        id: 'listWebhookEventTypes',
        summary: 'List the events that endpoints can be told of',
        tags,
        responses: { 200: { description: 'The event types.', schema: EventTypeList } },
      }),
      guard,
      (c) => {
        const items = webhooks.eventTypes.map(({ type, version, description }) => ({
          type,
          version,
          description,
        }));
        return c.json({ items }, 200);
      },
    )
    .post(
      '/endpoints',
      operation({
        id: 'createWebhookEndpoint',
        summary: 'Create an endpoint',
        description: 'The secret is shown this once; of scheme v1a it is the public key.',
        tags,
        responses: {
          201: { description: 'The endpoint and its secret.', schema: EndpointWithSecretBody },
        },
        failures: [ValidationFailed, TooManyEndpoints],
      }),
      guard,
      noStore,
      validated('json', CreateEndpointSchema),
      async (c) => {
        const { endpoints } = ofRequest(webhooks, c, options);
        const { endpoint, secret } = await endpoints.create(c.req.valid('json'));
        return c.json({ endpoint: toEndpointBody(endpoint), secret }, 201);
      },
    )
    .get(
      '/endpoints',
      operation({
        id: 'listWebhookEndpoints',
        summary: 'List the endpoints, newest first',
        tags,
        responses: { 200: { description: 'The endpoints.', schema: EndpointList } },
        failures: [ValidationFailed],
      }),
      guard,
      noStore,
      validated('query', ListSchema),
      async (c) => {
        const query = c.req.valid('query');
        const items = await ofRequest(webhooks, c, options).endpoints.list(query);
        return c.json(toPageBody(items.map(toEndpointBody), query.limit), 200);
      },
    )
    .get(
      '/endpoints/:id',
      operation({
        id: 'getWebhookEndpoint',
        summary: 'Read an endpoint',
        tags,
        responses: { 200: { description: 'The endpoint.', schema: EndpointBody } },
        failures: [ValidationFailed, EndpointNotFound],
      }),
      guard,
      noStore,
      validated('param', IdParam),
      async (c) => {
        const { endpoints } = ofRequest(webhooks, c, options);
        return c.json(toEndpointBody(await endpoints.get(c.req.valid('param').id)), 200);
      },
    )
    .patch(
      '/endpoints/:id',
      operation({
        id: 'updateWebhookEndpoint',
        summary: 'Change, enable or disable an endpoint',
        description: 'What was held while it was off is sent once it is on again.',
        tags,
        responses: { 200: { description: 'The endpoint.', schema: EndpointBody } },
        failures: [ValidationFailed, EndpointNotFound],
      }),
      guard,
      validated('param', IdParam),
      validated('json', UpdateEndpointSchema),
      async (c) => {
        const { endpoints } = ofRequest(webhooks, c, options);
        const changed = await endpoints.update(c.req.valid('param').id, c.req.valid('json'));
        return c.json(toEndpointBody(changed), 200);
      },
    )
    .delete(
      '/endpoints/:id',
      operation({
        id: 'deleteWebhookEndpoint',
        summary: 'Delete an endpoint',
        description: 'What is under way is cancelled.',
        tags,
        responses: { 204: { description: 'It is deleted.' } },
        failures: [ValidationFailed, EndpointNotFound],
      }),
      guard,
      validated('param', IdParam),
      async (c) => {
        await ofRequest(webhooks, c, options).endpoints.remove(c.req.valid('param').id);
        return c.body(null, 204);
      },
    )
    .route('/endpoints', secretRoutes(webhooks, options));
}

function secretRoutes(webhooks: Webhooks, options: WebhookRoutesOptions) {
  const { guard } = options;
  return new Hono<HttpEnv>()
    .get(
      '/:id/secrets',
      operation({
        id: 'listWebhookSecrets',
        summary: 'List the secrets that sign now, without what is secret',
        tags,
        responses: { 200: { description: 'The secrets, oldest first.', schema: SecretList } },
        failures: [ValidationFailed, EndpointNotFound],
      }),
      guard,
      noStore,
      validated('param', IdParam),
      async (c) => {
        const { endpoints } = ofRequest(webhooks, c, options);
        const secrets = await endpoints.secrets(c.req.valid('param').id);
        return c.json({ items: secrets.map(toSecretBody) }, 200);
      },
    )
    .post(
      '/:id/rotate',
      operation({
        id: 'rotateWebhookSecret',
        summary: 'Make a new secret',
        description:
          'Every secret valid now signs beside it for overlapSeconds, a day unless told; 0 ends them at once.',
        tags,
        responses: {
          200: { description: 'The endpoint and its new secret.', schema: EndpointWithSecretBody },
        },
        failures: [ValidationFailed, EndpointNotFound, TooManySecrets],
      }),
      guard,
      noStore,
      validated('param', IdParam),
      validated('json', RotateSchema),
      async (c) => {
        const { overlapSeconds, scheme } = c.req.valid('json');
        const input = {
          scheme,
          ...(overlapSeconds !== undefined && { overlap: `${overlapSeconds}s` as const }),
        };
        const { endpoints } = ofRequest(webhooks, c, options);
        const rotated = await endpoints.rotateSecret(c.req.valid('param').id, input);
        return c.json({ endpoint: toEndpointBody(rotated.endpoint), secret: rotated.secret }, 200);
      },
    )
    .post(
      '/:id/test',
      operation({
        id: 'testWebhookEndpoint',
        summary: 'Send a test event',
        description: 'It is tried once. The delivery tells what became of it.',
        tags,
        responses: { 202: { description: 'It is on its way.', schema: TestBody } },
        failures: [ValidationFailed, EndpointNotFound, EndpointDisabled],
      }),
      guard,
      validated('param', IdParam),
      async (c) => {
        const { endpoints } = ofRequest(webhooks, c, options);
        return c.json(await endpoints.test(c.req.valid('param').id), 202);
      },
    );
}
