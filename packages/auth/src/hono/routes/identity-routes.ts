import { ValidationFailed } from '@svc/core';
import { operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import type { Auth } from '../../auth.ts';
import { InsufficientAuthentication, LastWayIn, Unauthenticated } from '../../failures.ts';
import { IdentityNotFound, ProviderUnavailable, UnknownProvider } from '../../oauth/failures.ts';
import type { Identity } from '../../oauth/identities.ts';
import type { OAuth } from '../../oauth/oauth.ts';
import { IdentitiesBody, StartedBody, ProviderParam, StartSchema } from '../../oauth/schemas.ts';
import { IdParam } from '../../schemas.ts';
import { beginOAuth } from '../oauth-start.ts';
import { originOf } from '../origin.ts';
import { type AuthEnv, type PagesOptions, requireUser } from '../require-user.ts';

const tags = ['Sign-in at providers'];

/** `/identities`: the accounts at providers of the user who is signed in. */
export function identityRoutes(auth: Auth, oauth: OAuth, options: PagesOptions) {
  const recently = requireUser(auth, { ...options, level: 'highest', maxAge: '10m' });
  const failures = [Unauthenticated, InsufficientAuthentication];
  return new Hono<AuthEnv>()
    .post(
      '/oauth/:provider/link',
      operation({
        id: 'linkOAuth',
        summary: 'Begin to link a provider to the account',
        description: 'Needs a proof of the last 10 minutes; completed in the same session only.',
        tags,
        responses: { 200: { description: 'Where to send the browser.', schema: StartedBody } },
        failures: [...failures, ValidationFailed, UnknownProvider, ProviderUnavailable],
      }),
      recently,
      validated('param', ProviderParam),
      validated('json', StartSchema),
      async (c) => {
        const { returnTo } = c.req.valid('json');
        return c.json(
          { url: await beginOAuth(c, oauth, { returnTo, link: c.get('principal') }) },
          200,
        );
      },
    )
    .get(
      '/identities',
      operation({
        id: 'listIdentities',
        summary: 'The accounts at providers by which the user signs in',
        tags,
        responses: { 200: { description: 'Oldest first.', schema: IdentitiesBody } },
        failures: [Unauthenticated],
      }),
      requireUser(auth, options),
      async (c) => {
        const identities = await oauth.identities(c.get('principal'));
        return c.json({ items: identities.map(toBody) }, 200);
      },
    )
    .delete(
      '/identities/:id',
      operation({
        id: 'unlinkIdentity',
        summary: 'Take away an account at a provider',
        description: 'Needs a proof of the last 10 minutes.',
        tags,
        responses: { 204: { description: 'It is no way to sign in any more.' } },
        failures: [...failures, ValidationFailed, IdentityNotFound, LastWayIn],
      }),
      recently,
      validated('param', IdParam),
      async (c) => {
        const { id } = c.req.valid('param');
        await oauth.unlink(c.get('principal'), id, { origin: originOf(c) });
        return c.body(null, 204);
      },
    );
}

function toBody({ id, provider, email, createdAt, lastUsedAt }: Identity) {
  return {
    id,
    provider,
    email,
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  };
}
