import { ValidationFailed } from '@svc/core';
import { operation, validated } from '@svc/http/hono';
import { type Context, Hono } from 'hono';
import type { Auth } from '../../auth.ts';
import { ForeignLogin, InvalidChallenge, InvalidCredentials } from '../../failures.ts';
import {
  EmailMissing,
  IdentityNotLinked,
  IdentityTaken,
  OAuthFailed,
  ProviderUnavailable,
  UnknownProvider,
} from '../../oauth/failures.ts';
import type { OAuth } from '../../oauth/oauth.ts';
import {
  FormPostSchema,
  ProviderParam,
  ProvidersBody,
  StartedBody,
  StartSchema,
} from '../../oauth/schemas.ts';
import { SecondFactorRequiredBody } from '../../schemas.ts';
import { secondFactorsOf } from '../../second-factors/second-factors.ts';
import { demandTenant } from '../../identity-scope.ts';
import { originOf } from '../origin.ts';
import { answerCallback } from '../oauth-callback.ts';
import { readChallengeCookie } from '../oauth-cookies.ts';
import { beginOAuth } from '../oauth-start.ts';
import { type AuthEnv, ownLogins, type PagesOptions } from '../require-user.ts';

const tags = ['Sign-in at providers'];
const security = 'none' as const;
const callbackFailures = [
  OAuthFailed,
  UnknownProvider,
  ProviderUnavailable,
  EmailMissing,
  IdentityNotLinked,
  IdentityTaken,
  InvalidCredentials,
];

export interface OAuthSignInOptions extends PagesOptions {
  /** The page of this site that asks for a second factor; it reads the challenge from `GET /oauth/challenge`. @default '/second-factor' */
  secondFactorPath?: string;
}

/** Signing in at providers: there, and back. */
export function oauthSignInRoutes(auth: Auth, oauth: OAuth, options: OAuthSignInOptions) {
  const { secondFactorPath = '/second-factor' } = options;
  const failures = [ValidationFailed, ForeignLogin, UnknownProvider, ProviderUnavailable];
  return new Hono<AuthEnv>()
    .get(
      '/oauth/providers',
      operation({
        id: 'oauthProviders',
        summary: 'Where one can sign in',
        tags,
        security,
        responses: { 200: { description: 'The providers.', schema: ProvidersBody } },
      }),
      (c) => c.json({ items: [...oauth.providers] }, 200),
    )
    .post(
      '/oauth/:provider/start',
      operation({
        id: 'startOAuth',
        summary: 'Begin to sign in at a provider',
        description: 'Sets a cookie that the callback needs; works for 5 minutes.',
        tags,
        security,
        responses: { 200: { description: 'Where to send the browser.', schema: StartedBody } },
        failures,
      }),
      ownLogins(auth, options),
      validated('param', ProviderParam),
      validated('json', StartSchema),
      async (c) => {
        const { returnTo } = c.req.valid('json');
        return c.json({ url: await beginOAuth(c, oauth, { returnTo }) }, 200);
      },
    )
    .get(
      '/oauth/:provider/start',
      operation({
        id: 'visitOAuth',
        summary: 'Begin to sign in at a provider by following a link',
        tags,
        security,
        responses: { 302: { description: 'To the provider.' } },
        failures,
      }),
      ownLogins(auth, options),
      validated('param', ProviderParam),
      validated('query', StartSchema),
      async (c) => {
        const { returnTo } = c.req.valid('query');
        return c.redirect(await beginOAuth(c, oauth, { returnTo }), 302);
      },
    )
    .get(
      '/oauth/:provider/callback',
      operation({
        id: 'oauthCallback',
        summary: 'Where a provider sends the browser back to',
        description:
          'Sets the session cookie and goes on to `returnTo`, or to the page that asks for the second factor. A browser that is refused gets a page.',
        tags,
        security,
        responses: { 302: { description: 'Signed in, linked, or half signed in.' } },
        failures: callbackFailures,
      }),
      validated('param', ProviderParam),
      (c) => answerCallback(c, { auth, oauth, secondFactorPath }),
    )
    .post(
      '/oauth/:provider/callback',
      operation({
        id: 'postOAuthCallback',
        summary: 'Where a provider posts its answer to',
        description: 'For `response_mode=form_post`, as Apple uses it. Goes on to the same by GET.',
        tags,
        security,
        responses: { 303: { description: 'The same by GET.' } },
        failures: [ValidationFailed],
      }),
      validated('param', ProviderParam),
      validated('form', FormPostSchema),
      (c) => {
        // Browsers send no cookie that is Lax with a form of another site, but with the navigation that follows it.
        const fields = Object.entries(c.req.valid('form')).filter(
          ([, value]) => value !== undefined,
        );
        return c.redirect(`?${new URLSearchParams(fields as [string, string][]).toString()}`, 303);
      },
    )
    .get(
      '/oauth/challenge',
      operation({
        id: 'oauthChallenge',
        summary: 'What the second factor of a sign-in at a provider is to be sent with',
        tags,
        security,
        responses: {
          200: { description: 'The challenge of this browser.', schema: SecondFactorRequiredBody },
        },
        failures: [InvalidChallenge],
      }),
      async (c) => c.json(await challengeOf(c, auth), 200),
    );
}

async function challengeOf(c: Context, auth: Auth) {
  const { db, challenges } = auth['~context'];
  const token = readChallengeCookie(c);
  const tenantId = demandTenant(auth['~context'], originOf(c));
  const found =
    token === undefined
      ? null
      : await challenges.find(db, { purpose: 'second_factor', token, tenantId });
  if (token === undefined || found === null || found.user_id === null) throw new InvalidChallenge();
  return {
    status: 'second_factor_required' as const,
    challenge: token,
    methods: [...(await secondFactorsOf(db, found.user_id))],
    expiresAt: found.expires_at.toISOString(),
  };
}
