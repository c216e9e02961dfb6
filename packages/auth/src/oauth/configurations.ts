import * as openid from 'openid-client';
import { ProviderUnavailable } from './failures.ts';
import type { OAuthProvider } from './provider.ts';
import type { Fetch, ProviderClientOptions } from './provider-client.ts';

/** How long metadata counts as fresh; afterwards it is discovered anew, and used on while that fails. */
const freshForMs = 60 * 60_000;

/** Below the time that an answer of ours may take, with several calls in it. */
const timeoutSeconds = 8;

type Options = Pick<
  ProviderClientOptions,
  'provider' | 'fetch' | 'clock' | 'isInsecureAllowed' | 'logger'
>;

/** Answers the provider's configuration, discovered once for all who wait for it. It holds the keys of the issuer, too. */
export function createConfigurations(options: Options): () => Promise<openid.Configuration> {
  const { provider, clock, logger } = options;
  let known: { configuration: openid.Configuration; atMs: number } | undefined;
  let underWay: Promise<openid.Configuration> | undefined;
  const refresh = async () => {
    try {
      const configuration = await configure(options);
      known = { configuration, atMs: clock.elapsedMs() };
      return configuration;
    } catch (error) {
      const { message, code } = error as { message?: string; code?: unknown };
      const fields = { provider: provider.id, error: message, code };
      logger.warn(fields, 'the metadata of a provider could not be read');
      if (known === undefined) throw new ProviderUnavailable();
      // Not asked again at every sign-in, either.
      known = { ...known, atMs: clock.elapsedMs() };
      return known.configuration;
    } finally {
      underWay = undefined;
    }
  };
  return async () => {
    if (known !== undefined && clock.elapsedMs() - known.atMs < freshForMs)
      return known.configuration;
    underWay ??= refresh();
    return underWay;
  };
}

async function configure(options: Options): Promise<openid.Configuration> {
  const { provider, fetch, isInsecureAllowed } = options;
  const { server, clientId } = provider;
  const authentication = clientAuthentication(options);
  const guarded = unavailableOrNot(fetch);
  const allowInsecure = isInsecureAllowed ? [openid.allowInsecureRequests] : [];
  if (server.type === 'openid') {
    return openid.discovery(new URL(server.issuer), clientId, {}, authentication, {
      [openid.customFetch]: guarded,
      timeout: timeoutSeconds,
      // OpenID Connect Core 3.1.3.7 lets TLS stand for the signature of the ID token; it is checked all the same.
      execute: [openid.enableNonRepudiationChecks, ...allowInsecure],
    });
  }
  const { issuer, authorizationEndpoint, tokenEndpoint } = server;
  const configuration = new openid.Configuration(
    { issuer, authorization_endpoint: authorizationEndpoint, token_endpoint: tokenEndpoint },
    clientId,
    {},
    authentication,
  );
  configuration[openid.customFetch] = guarded;
  configuration.timeout = timeoutSeconds;
  for (const allow of allowInsecure) allow(configuration);
  return configuration;
}

function clientAuthentication({ provider, clock }: Options): openid.ClientAuth {
  const { clientSecret, clientSecretBy } = provider;
  if (clientSecret === null) return openid.None();
  const by = clientSecretBy === 'basic' ? openid.ClientSecretBasic : openid.ClientSecretPost;
  if (typeof clientSecret === 'string') return by(clientSecret);
  return (...request) => by(clientSecret(clock.now()))(...request);
}

// A provider that is down must not look like a sign-in that was refused.
function unavailableOrNot(fetch: Fetch): openid.CustomFetch {
  return async (url, init) => {
    let response: Response;
    try {
      response = await fetch(url, init as RequestInit);
    } catch (cause) {
      throw new ProviderUnavailable({}, { cause });
    }
    if (response.status >= 500 || response.status === 429) throw new ProviderUnavailable();
    return response;
  };
}

/** What a provider must be to be spoken to. @throws {TypeError} */
export function checkProvider(provider: OAuthProvider, isInsecureAllowed: boolean): void {
  const { id, server } = provider;
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(id))
    throw new TypeError('the id of a provider has lower case letters, digits and hyphens');
  const urls =
    server.type === 'openid'
      ? [server.issuer]
      : [server.issuer, server.authorizationEndpoint, server.tokenEndpoint];
  for (const text of urls) {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const isUsable =
      url?.protocol === 'https:' ||
      (isInsecureAllowed && url?.protocol === 'http:' && isLoopback(url));
    if (!isUsable)
      throw new TypeError(
        `${id}: a provider is reached by https, or on loopback by an app that is there, too`,
      );
  }
}

/** Whether an address leads to this machine only. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname);
}
