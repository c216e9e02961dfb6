import { ValidationFailed } from '@svc/core';
import { type HttpEnv, noStore, operation, validated } from '@svc/http/hono';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import type { Actor } from '../acts.ts';
import { TenantApiKeyList, TenantApiKeysQuery } from '../api-keys/schemas.ts';
import type { Auth } from '../auth.ts';
import { ApiKeyNotFound } from '../failures.ts';
import { IdParam } from '../schemas.ts';
import { originOf } from './origin.ts';
import { toBody } from './routes/api-key-routes.ts';

export interface TenantApiKeyRoutesOptions {
  /** Lets pass who administers the tenant; the app's. */
  guard: MiddlewareHandler;
  /** The tenant that a request is for, as the guard has found it. */
  tenantOf: (c: Context) => string;
  /** Who acts, for the audit log. */
  actorOf: (c: Context) => Actor;
}

const tags = ['API keys'];

/** The keys of a tenant's members, for its admins, to be mounted where the app wants them: `app.route('/tenant/api-keys', tenantApiKeyRoutes(auth, { guard, … }))`. */
export function tenantApiKeyRoutes(
  auth: Auth,
  { guard, tenantOf, actorOf }: TenantApiKeyRoutesOptions,
) {
  const { ofTenant } = auth.apiKeys;
  return new Hono<HttpEnv>()
    .use(noStore, guard)
    .get(
      '/',
      operation({
        id: 'listTenantApiKeys',
        summary: 'List the API keys of the tenant, newest first',
        tags,
        responses: {
          200: { description: 'The keys, without their secrets.', schema: TenantApiKeyList },
        },
        failures: [ValidationFailed],
      }),
      validated('query', TenantApiKeysQuery),
      async (c) => {
        const { limit, cursor: before } = c.req.valid('query');
        const found = await ofTenant.list(tenantOf(c), { limit: limit + 1, before });
        const items = found.slice(0, limit).map((key) => ({ ...toBody(key), userId: key.userId }));
        const nextCursor = found.length > limit ? (items.at(-1)?.id ?? null) : null;
        return c.json({ items, nextCursor }, 200);
      },
    )
    .delete(
      '/:id',
      operation({
        id: 'revokeTenantApiKey',
        summary: 'Revoke an API key of the tenant',
        tags,
        responses: { 204: { description: 'It is refused from now on.' } },
        failures: [ValidationFailed, ApiKeyNotFound],
      }),
      validated('param', IdParam),
      async (c) => {
        const { id } = c.req.valid('param');
        await ofTenant.revoke(tenantOf(c), id, actorOf(c), { origin: originOf(c) });
        return c.body(null, 204);
      },
    );
}
