import { ValidationFailed } from '@svc/core';
import { operation, validated } from '@svc/http/hono';
import { type Context, Hono } from 'hono';
import type { Auth } from '../auth.ts';
import {
  ForeignLogin,
  InsufficientAuthentication,
  InvalidChallenge,
  InvalidCredentials,
  LastWayIn,
  Unauthenticated,
} from '../failures.ts';
import {
  EmailMissing,
  IdentityNotFound,
  IdentityNotLinked,
  IdentityTaken,
  OAuthFailed,
  ProviderUnavailable,
  UnknownProvider,
} from '../oauth/failures.ts';
import type { OAuth, OAuthBeginning } from '../oauth/oauth.ts';
import {
  FormPostSchema,
  IdentitiesBody,
  ProvidersBody,
  StartedBody,
  StartSchema,
} from '../oauth/schemas.ts';
import { SecondFactorRequiredBody } from '../schemas.ts';
import { secondFactorsOf } from '../second-factors/second-factors.ts';
import { answerCallback } from './oauth-callback.ts';
import { readChallengeCookie, setBrowserCookie } from './oauth-cookies.ts';
import { originOf } from './origin.ts';
import { type AuthEnv, ownLogins, type PagesOptions, requireUser } from './require-user.ts';

export interface OAuthRoutesOptions extends PagesOptions {
  /** The page of this site that asks for a second factor; it reads the challenge from `GET /oauth/challenge`. @default '/second-factor' */
  secondFactorPath?: string;
}

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

/** The routes of signing in at providers, to be mounted beside `authRoutes`: `app.route('/auth', oauthRoutes(auth, oauth))`. */
export function oauthRoutes(auth: Auth, oauth: OAuth, options: OAuthRoutesOptions = {}) {
  return new Hono<AuthEnv>()
    .use(async (c, next) => {
      await next();
      c.header('Cache-Control', 'no-store');
    })
    .route('/', flowRoutes(auth, oauth, options))
    .route('/', identityRoutes(auth, oauth, options));
}

function flowRoutes(auth: Auth, oauth: OAuth, options: OAuthRoutesOptions) {
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
      (c) => c.json({ providers: [...oauth.providers] }, 200),
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
      validated('json', StartSchema),
      async (c) => {
        const { returnTo } = c.req.valid('json');
        return c.json({ url: await begin(c, oauth, { returnTo }) }, 200);
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
      validated('query', StartSchema),
      async (c) => {
        const { returnTo } = c.req.valid('query');
        return c.redirect(await begin(c, oauth, { returnTo }), 302);
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

function identityRoutes(auth: Auth, oauth: OAuth, options: OAuthRoutesOptions) {
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
      validated('json', StartSchema),
      async (c) => {
        const { returnTo } = c.req.valid('json');
        return c.json({ url: await begin(c, oauth, { returnTo, link: c.get('principal') }) }, 200);
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
        return c.json({ identities: identities.map(toBody) }, 200);
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
        failures: [...failures, IdentityNotFound, LastWayIn],
      }),
      recently,
      async (c) => {
        await oauth.unlink(c.get('principal'), c.req.param('id'), { origin: originOf(c) });
        return c.body(null, 204);
      },
    );
}

async function begin(
  c: Context,
  oauth: OAuth,
  input: Omit<OAuthBeginning, 'provider'>,
): Promise<string> {
  const provider = c.req.param('provider') ?? '';
  const { url, browserToken } = await oauth.begin({ ...input, provider }, { origin: originOf(c) });
  setBrowserCookie(c, browserToken);
  return url;
}

async function challengeOf(c: Context, auth: Auth) {
  const { db, challenges } = auth['~context'];
  const token = readChallengeCookie(c);
  const found = token === undefined ? null : await challenges.find(db, 'second_factor', token);
  if (token === undefined || found === null || found.user_id === null) throw new InvalidChallenge();
  return {
    status: 'second_factor_required' as const,
    challenge: token,
    methods: [...(await secondFactorsOf(db, found.user_id))],
    expiresAt: found.expires_at.toISOString(),
  };
}

function toBody(identity: Awaited<ReturnType<OAuth['identities']>>[number]) {
  const { id, provider, email, createdAt, lastUsedAt } = identity;
  return {
    id,
    provider,
    email,
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  };
}
