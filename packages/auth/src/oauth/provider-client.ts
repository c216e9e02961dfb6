import { type Clock, isFailure, type Logger } from '@svc/core';
import * as openid from 'openid-client';
import { createConfigurations } from './configurations.ts';
import { OAuthFailed, ProviderUnavailable } from './failures.ts';
import type { Grant, OAuthProvider, Profile } from './provider.ts';

/** Calls the outside as `fetch` does. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** What a sign-in keeps between its two halves. All of it is secret but the state. */
export interface FlowSecrets {
  readonly state: string;
  /** RFC 7636. */
  readonly verifier: string;
  readonly nonce: string;
}

/** The tokens of a provider. */
export interface ProviderTokens {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  /** When the access token ends, where the provider says so. */
  readonly expiresAt: Date | null;
  readonly scope: string | null;
}

/** One provider, as the flow speaks to it. */
export interface ProviderClient {
  readonly provider: OAuthProvider;
  /** Has the metadata at hand from here on. @throws {ProviderUnavailable} */
  prepare(): Promise<void>;
  /** Where to send the browser, which comes back to the callback below `publicUrl`. @throws {ProviderUnavailable} */
  authorizationUrl(secrets: FlowSecrets, publicUrl: URL): Promise<URL>;
  /** Exchanges what came back for who it is, once everything about it fits. @throws {OAuthFailed} @throws {ProviderUnavailable} */
  exchange(
    answer: URLSearchParams,
    secrets: FlowSecrets,
    publicUrl: URL,
  ): Promise<{ profile: Profile; tokens: ProviderTokens }>;
}

export interface ProviderClientOptions {
  provider: OAuthProvider;
  callbackPath: string;
  /** Lets http through: for tests and development. */
  isInsecureAllowed: boolean;
  fetch: Fetch;
  clock: Clock;
  logger: Logger;
}

export function createProviderClient(options: ProviderClientOptions): ProviderClient {
  const { provider, callbackPath, clock, logger } = options;
  const isOpenid = provider.server.type === 'openid';
  const configuration = createConfigurations(options);
  // From settings, never from the Host header; compared as text by the provider (RFC 9700 2.1).
  const redirectUriOf = (publicUrl: URL) =>
    new URL(`${publicUrl.href.replace(/\/$/, '')}${callbackPath}`);
  const translated = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw toFailure(error, provider, logger);
    }
  };

  return {
    provider,
    prepare: async () => {
      await configuration();
    },
    authorizationUrl: ({ state, verifier, nonce }, publicUrl) =>
      translated(async () =>
        openid.buildAuthorizationUrl(await configuration(), {
          ...provider.parameters,
          response_type: 'code',
          redirect_uri: redirectUriOf(publicUrl).href,
          scope: provider.scopes.join(' '),
          state,
          code_challenge: await openid.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
          ...(isOpenid && { nonce }),
        }),
      ),
    exchange: (answer, { state, verifier, nonce }, publicUrl) =>
      translated(async () => {
        const config = await configuration();
        // Never the address that the request came to, whose host the client chooses.
        const currentUrl = redirectUriOf(publicUrl);
        currentUrl.search = answer.toString();
        // Checks `iss` (RFC 9207 2.4) and the state before the code goes anywhere.
        const response = await openid.authorizationCodeGrant(config, currentUrl, {
          expectedState: state,
          pkceCodeVerifier: verifier,
          ...(isOpenid && { expectedNonce: nonce, idTokenExpected: true }),
        });
        const get: Grant['get'] = (url) =>
          translated(() => readJson(config, response.access_token, new URL(url)));
        const claims = isOpenid ? await readClaims(config, response) : {};
        const profile = storable(await provider.profile({ claims, get }));
        return { profile, tokens: toTokens(response, clock.now()) };
      }),
  };
}

type TokenResponse = Awaited<ReturnType<typeof openid.authorizationCodeGrant>>;

// Issuers may keep the address out of the ID token (OpenID Connect Core 5.4). What both tell, the signed one decides.
async function readClaims(config: openid.Configuration, response: TokenResponse) {
  const claims = response.claims();
  if (claims === undefined) throw new OAuthFailed();
  const isComplete = claims['email'] !== undefined;
  if (isComplete || config.serverMetadata().userinfo_endpoint === undefined) return claims;
  return {
    ...(await openid.fetchUserInfo(config, response.access_token, claims.sub)),
    ...claims,
  };
}

// OpenID Connect Core 2 gives a subject 255 characters of ASCII; what else a provider writes goes into columns as it is.
function storable(profile: Profile): Profile {
  const { issuer, subject, email } = profile;
  // An issuer is a URL; a space would pass for a tenant before it.
  if (!/^[\x20-\x7e]{1,255}$/.test(subject) || !/^\S+$/.test(issuer)) throw new OAuthFailed();
  return { ...profile, email: email === null || /[\p{Cc}\p{Cs}]/u.test(email) ? null : email };
}

async function readJson(config: openid.Configuration, token: string, url: URL): Promise<unknown> {
  const headers = new Headers({ accept: 'application/json' });
  const answer = await openid.fetchProtectedResource(config, token, url, 'GET', null, headers);
  if (!answer.ok) throw new OAuthFailed();
  return (await answer.json()) as unknown;
}

function toTokens(response: TokenResponse, now: Date): ProviderTokens {
  const { access_token, refresh_token, expires_in, scope } = response;
  const expiresAt = expires_in === undefined ? null : new Date(now.getTime() + expires_in * 1000);
  return {
    accessToken: access_token,
    refreshToken: refresh_token ?? null,
    expiresAt,
    scope: scope ?? null,
  };
}

// The causes of these errors hold codes, tokens and claims: what is logged is their name, and nothing goes further.
function toFailure(error: unknown, { id: provider }: OAuthProvider, logger: Logger): unknown {
  if (isFailure(error)) return error;
  const { message, code, cause } = error as { message?: string; code?: unknown; cause?: unknown };
  if (isFailure(cause)) return cause;
  if (code === 'OAUTH_TIMEOUT' || code === 'OAUTH_ABORT') return new ProviderUnavailable();
  const refusal = (error as { error?: unknown }).error;
  const isDenied =
    error instanceof openid.AuthorizationResponseError && refusal === 'access_denied';
  if (isDenied) return new OAuthFailed({ reason: 'denied' });
  logger.warn({ provider, error: message, code }, 'a sign-in at a provider failed');
  return new OAuthFailed();
}
