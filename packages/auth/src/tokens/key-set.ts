import type { Clock, Logger } from '@svc/core';
import { createLocalJWKSet, type JWK, type LocalJWKSet } from 'jose';
import { IssuerUnavailable } from './failures.ts';
import { type Fetch, fetchJson } from './fetch-json.ts';

/** The public keys of an issuer, as they were fetched last. */
export interface KeySet {
  /** At most an hour old; while the issuer cannot be reached, at most a day. @throws {IssuerUnavailable} */
  current(): Promise<LocalJWKSet>;
  /** A set that was fetched after `known`, for a key that is not in `known`; `null` where it is too soon to ask. */
  newerThan(known: LocalJWKSet): Promise<LocalJWKSet | null>;
}

export interface KeySetOptions {
  issuer: string;
  /** `undefined` asks the issuer by OpenID Connect Discovery. */
  jwksUrl: string | undefined;
  /** Whether an address may be fetched from. */
  isTrustworthy: (url: string) => boolean;
  fetch: Fetch;
  clock: Clock;
  logger: Logger;
}

const freshMs = 60 * 60_000;
const staleMs = 24 * 60 * 60_000;
/** Tokens that name unknown keys come from anybody: they must not become a flood at the issuer. */
const retryMs = 30_000;
const retryEmptyMs = 5_000;
const maxKeys = 100;

// jose's createRemoteJWKSet runs on the system's time and has no answer for an issuer that is down.
export function createKeySet(options: KeySetOptions): KeySet {
  const { issuer, clock, logger } = options;
  let cached: { readonly keys: LocalJWKSet; readonly fetchedAtMs: number } | undefined;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let failing = false;
  let pending: Promise<void> | undefined;

  const ageMs = () => clock.elapsedMs() - (cached?.fetchedAtMs ?? Number.NEGATIVE_INFINITY);
  const mayAsk = () =>
    pending !== undefined ||
    clock.elapsedMs() - triedAtMs >= (cached === undefined ? retryEmptyMs : retryMs);

  async function fetchKeys(): Promise<void> {
    triedAtMs = clock.elapsedMs();
    try {
      const keys = createLocalJWKSet({ keys: await readKeys(options) });
      cached = { keys, fetchedAtMs: clock.elapsedMs() };
      failing = false;
    } catch (error) {
      failing = true;
      const reason = error instanceof Error ? error.message : typeof error;
      logger.warn({ issuer, reason }, 'the keys of a token issuer cannot be fetched');
    }
  }
  /** One request for all who wait. Never rejects. */
  function refresh(): Promise<void> {
    pending ??= fetchKeys().finally(() => (pending = undefined));
    return pending;
  }

  return {
    async current() {
      if (cached !== undefined && ageMs() < freshMs) return cached.keys;
      if (mayAsk()) {
        const asked = refresh();
        // Nobody waits for an issuer that is known to be down while what it said serves.
        if (!failing || ageMs() >= staleMs) await asked;
      }
      if (cached !== undefined && ageMs() < staleMs) return cached.keys;
      throw new IssuerUnavailable({ retryAfterSeconds: retryEmptyMs / 1000 });
    },
    async newerThan(known) {
      if (cached?.keys === known && mayAsk()) await refresh();
      return cached === undefined || cached.keys === known ? null : cached.keys;
    },
  };
}

async function readKeys(options: KeySetOptions): Promise<JWK[]> {
  const { jwksUrl = await discover(options), fetch, clock } = options;
  const body = await fetchJson(jwksUrl, fetch, clock);
  const keys = isRecord(body) ? body['keys'] : undefined;
  if (!Array.isArray(keys) || keys.length > maxKeys)
    throw new Error(`answered no key set of at most ${maxKeys} keys`);
  // RFC 7517 5: what is not understood is left out. jose checks no token by a key that is symmetric or private.
  return keys.filter(isRecord) as JWK[];
}

// OpenID Connect Discovery 1.0, 4: the issuer must say its own name, or one could speak for another.
async function discover({ issuer, isTrustworthy, fetch, clock }: KeySetOptions): Promise<string> {
  const url = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`;
  const metadata = await fetchJson(url, fetch, clock);
  if (!isRecord(metadata) || metadata['issuer'] !== issuer)
    throw new Error('its discovery document is of another issuer');
  const jwksUrl = metadata['jwks_uri'];
  if (typeof jwksUrl !== 'string' || !isTrustworthy(jwksUrl))
    throw new Error('its discovery document has no usable jwks_uri');
  return jwksUrl;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
