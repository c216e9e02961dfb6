import { ValidationFailed } from '@svc/core';
import { operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import type { ApiKey } from '../../api-keys/queries.ts';
import {
  ApiKeyList,
  CreateApiKeySchema,
  NewApiKeyBody,
  RotateApiKeySchema,
} from '../../api-keys/schemas.ts';
import type { Auth } from '../../auth.ts';
import {
  AccessDenied,
  ApiKeyNotFound,
  InsufficientAuthentication,
  TooManyApiKeys,
  Unauthenticated,
} from '../../failures.ts';
import { IdParam } from '../../schemas.ts';
import { originOf } from '../origin.ts';
import { type AuthEnv, type PagesOptions, requireUser } from '../require-user.ts';

const tags = ['API keys'];

/** `/api-keys`: keys for programs. Making one asks for a recent sign-in. */
export function apiKeyRoutes(auth: Auth, options: PagesOptions) {
  const signedIn = requireUser(auth, options);
  const recently = requireUser(auth, { ...options, level: 'highest', maxAge: '1h' });
  const refusals = [Unauthenticated, InsufficientAuthentication];
  return new Hono<AuthEnv>()
    .post(
      '/api-keys',
      operation({
        id: 'createApiKey',
        summary: 'Make an API key',
        description: 'The answer shows the key, once. It is sent as `Authorization: Bearer`.',
        tags,
        responses: { 201: { description: 'The key.', schema: NewApiKeyBody } },
        failures: [ValidationFailed, AccessDenied, TooManyApiKeys, ...refusals],
      }),
      recently,
      validated('json', CreateApiKeySchema),
      async (c) => {
        const origin = originOf(c);
        const made = await auth.apiKeys.create(c.get('principal'), c.req.valid('json'), { origin });
        return c.json({ key: made.key, ...toBody(made.apiKey) }, 201);
      },
    )
    .get(
      '/api-keys',
      operation({
        id: 'listApiKeys',
        summary: 'List your API keys, newest first',
        tags,
        responses: { 200: { description: 'The keys, without their secrets.', schema: ApiKeyList } },
        failures: [Unauthenticated],
      }),
      signedIn,
      async (c) => {
        const keys = await auth.apiKeys.list(c.get('principal'));
        return c.json({ items: keys.map(toBody) }, 200);
      },
    )
    .delete(
      '/api-keys/:id',
      operation({
        id: 'revokeApiKey',
        summary: 'Revoke an API key',
        tags,
        responses: { 204: { description: 'It is refused from now on.' } },
        failures: [ValidationFailed, ApiKeyNotFound, Unauthenticated],
      }),
      signedIn,
      validated('param', IdParam),
      async (c) => {
        const { id } = c.req.valid('param');
        await auth.apiKeys.revoke(c.get('principal'), id, { origin: originOf(c) });
        return c.body(null, 204);
      },
    )
    .post(
      '/api-keys/:id/rotate',
      operation({
        id: 'rotateApiKey',
        summary: 'Make a key in place of another',
        description: 'The former one works on for a while: 24 hours unless told, at most 30 days.',
        tags,
        responses: { 201: { description: 'The new key.', schema: NewApiKeyBody } },
        failures: [ValidationFailed, AccessDenied, ApiKeyNotFound, TooManyApiKeys, ...refusals],
      }),
      recently,
      validated('param', IdParam),
      validated('json', RotateApiKeySchema),
      async (c) => {
        const { id } = c.req.valid('param');
        const origin = originOf(c);
        const input = c.req.valid('json');
        const made = await auth.apiKeys.rotate(c.get('principal'), id, input, { origin });
        return c.json({ key: made.key, ...toBody(made.apiKey) }, 201);
      },
    );
}

export const toBody = (key: ApiKey) => ({
  id: key.id,
  name: key.name,
  scopes: [...key.scopes],
  tenantId: key.tenantId,
  createdAt: key.createdAt.toISOString(),
  expiresAt: key.expiresAt?.toISOString() ?? null,
  lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
});
