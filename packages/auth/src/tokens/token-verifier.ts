import { type Clock, type Duration, type Logger, silentLogger, systemClock, toMs } from '@svc/core';
import { checkJwt, isJwtShaped, isUnknownKey, type JwtRules, refusal } from './check-jwt.ts';
import {
  maxServiceTokenMs,
  type ServiceTokenClaims,
  serviceTokenType,
  type TokenVerifier,
} from './claims.ts';
import { InvalidBearerToken } from './failures.ts';
import type { Fetch } from './fetch-json.ts';
import { createKeySet } from './key-set.ts';

/** How tokens may be signed. Symmetric algorithms and `none` are not among it: whoever could check could forge. */
export type TokenAlgorithm = 'RS256' | 'ES256' | 'EdDSA';

const tokenAlgorithms: readonly TokenAlgorithm[] = ['RS256', 'ES256', 'EdDSA'];

export interface TokenVerifierOptions {
  /** Who issues the tokens, exactly as in `iss`. */
  issuer: string;
  /** Whom the tokens must be for; of several, one suffices. */
  audience: string | readonly string[];
  /** Where the public keys are. @default what the issuer's OpenID discovery document says */
  jwksUrl?: string;
  /** @default all three */
  algorithms?: readonly TokenAlgorithm[];
  /** The `typ` that the tokens' header must have; `null` does not look, for issuers that do not follow RFC 9068. @default 'at+jwt' */
  type?: string | null;
  /** How long ago a token was issued at most, however long it is valid; demands `iat`. @default no limit */
  maxAge?: Duration;
  /** How far the clocks may be apart. @default 60s */
  clockTolerance?: Duration;
  /** Whether keys may be fetched by plain http from other machines, where something else protects the way. @default false */
  allowHttp?: boolean;
  /** @default globalThis.fetch */
  fetch?: Fetch;
  /** @default systemClock */
  clock?: Clock;
  /** @default silentLogger */
  logger?: Logger;
}

/**
 * Checks the bearer tokens of an issuer after RFC 8725. Its keys come from its key set alone (never from `jku`, `x5u`
 * or `jwk` of a token); they are kept for an hour, for a day while it cannot be reached, and asked for again at most
 * every 30 seconds when a token names one that is not known.
 *
 * @throws {TypeError} when an option is not usable.
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { maxAge } = options;
  return createVerifier(options, {
    type: options.type === undefined ? 'at+jwt' : options.type,
    requiredClaims: [],
    maxAgeMs: maxAge === undefined ? undefined : toMs(maxAge),
  }) as TokenVerifier;
}

export type ServiceTokenVerifierOptions = Omit<
  TokenVerifierOptions,
  'algorithms' | 'type' | 'maxAge' | 'jwksUrl'
> & {
  /** Where the issuing service answers `jwksRoutes`. */
  jwksUrl: string;
};

/**
 * Checks the tokens of another service's `createServiceTokens`, by its public keys.
 *
 * @throws {TypeError} when an option is not usable.
 */
export function createServiceTokenVerifier(
  options: ServiceTokenVerifierOptions,
): TokenVerifier<ServiceTokenClaims> {
  return createVerifier(
    { ...options, algorithms: ['EdDSA'] },
    { type: serviceTokenType, requiredClaims: ['jti'], maxAgeMs: maxServiceTokenMs },
  ) as TokenVerifier<ServiceTokenClaims>;
}

function createVerifier(
  {
    issuer,
    audience,
    jwksUrl,
    algorithms = tokenAlgorithms,
    clockTolerance = '60s',
    allowHttp = false,
    fetch = globalThis.fetch,
    clock = systemClock,
    logger = silentLogger,
  }: TokenVerifierOptions,
  rest: Pick<JwtRules, 'type' | 'requiredClaims' | 'maxAgeMs'>,
): TokenVerifier {
  const isTrustworthy = (url: string) => isSafeAddress(url, allowHttp);
  assertUsable(issuer, audience, algorithms);
  if (!isTrustworthy(jwksUrl ?? issuer))
    throw new TypeError('jwksUrl, or the issuer without one, must be an https URL');
  const rules = {
    issuer,
    audience,
    algorithms,
    clockToleranceMs: toMs(clockTolerance),
    ...rest,
  } satisfies JwtRules;
  const keySet = createKeySet({ issuer, jwksUrl, isTrustworthy, fetch, clock, logger });
  return {
    async verify(token) {
      if (!isJwtShaped(token)) throw new InvalidBearerToken();
      const known = await keySet.current();
      try {
        return await checkJwt(token, known, rules, clock.now());
      } catch (error) {
        const newer = isUnknownKey(error) ? await keySet.newerThan(known) : null;
        if (newer === null) throw refusal(error, logger);
        return await checkJwt(token, newer, rules, clock.now()).catch((again: unknown) => {
          throw refusal(again, logger);
        });
      }
    },
  };
}

function assertUsable(
  issuer: string,
  audience: string | readonly string[],
  algorithms: readonly string[],
): void {
  const audiences = typeof audience === 'string' ? [audience] : audience;
  if (issuer === '' || audiences.length === 0 || audiences.includes(''))
    throw new TypeError('issuer and audience must not be empty');
  if (algorithms.length === 0 || algorithms.some((each) => !isTokenAlgorithm(each)))
    throw new TypeError(`algorithms must be some of ${tokenAlgorithms.join(', ')}`);
}

const isTokenAlgorithm = (name: string) => (tokenAlgorithms as readonly string[]).includes(name);

// Who can change the answer on its way can sign for the issuer.
function isSafeAddress(address: string, allowHttp: boolean): boolean {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '') return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && (allowHttp || isLoopback(url.hostname));
}

const isLoopback = (host: string) =>
  host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
