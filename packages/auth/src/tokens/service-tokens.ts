import {
  type Cipher,
  type Clock,
  type Duration,
  type Logger,
  type NewId,
  silentLogger,
  systemClock,
  toMs,
  uuidv7,
} from '@svc/core';
import type { Db } from '@svc/db';
import { errors, SignJWT } from 'jose';
import { checkJwt, isJwtShaped, refusal } from './check-jwt.ts';
import { maxServiceTokenMs, type ServiceTokenClaims, serviceTokenType } from './claims.ts';
import { InvalidBearerToken } from './failures.ts';
import { createSigningKeys, publishAheadMs, type PublicJwk } from './signing-keys.ts';

export interface NewServiceToken {
  /** Who calls: the name of a service, or the id of whom it acts for. */
  subject: string;
  /** The one service that the token is for. */
  audience: string;
  /** What else it says; everybody who gets hold of the token can read it. @default {} */
  claims?: Readonly<Record<string, unknown>>;
}

/** Short-lived signed JWTs by which services know each other. None of them is ever a session. */
export interface ServiceTokens extends AsyncDisposable {
  /** A new token, signed with Ed25519. @throws {TypeError} when the claims set what is ours to set, or are too many. */
  issue(input: NewServiceToken): Promise<string>;
  /** What a token of ours for `audience` says. @throws {InvalidBearerToken} */
  verify(token: string, expected: { audience: string }): Promise<ServiceTokenClaims>;
  /** The public keys: the one that signs, the next, and former ones until their tokens have expired. */
  jwks(): Promise<{ readonly keys: readonly PublicJwk[] }>;
  /**
   * Signs with the next key from now on, and publishes a new next one. Of any number at once, in all processes, one
   * does it and answers `true`; so none does while the next key is published for less than 2 hours, when receivers may
   * not know it.
   */
  rotate(): Promise<boolean>;
  /** Makes the first keys where there are none, and then rotates every `rotateEvery`, in any number of processes. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface ServiceTokensOptions {
  db: Db;
  /** What stands in `iss`: the URL of the service. Keys belong to one issuer. */
  issuer: string;
  /** Encrypts the private keys. A former key of it is needed for twice `rotateEvery`. */
  cipher: Cipher;
  /** How long one key signs; at least 2h. @default 30d */
  rotateEvery?: Duration;
  /** How long a token is valid; at most 1h. @default 5m */
  ttl?: Duration;
  /** @default systemClock */
  clock?: Clock;
  /** @default uuidv7 */
  newId?: NewId;
  /** @default silentLogger */
  logger?: Logger;
  /** What events call this instance. @default 'auth' */
  name?: string;
}

const checkEveryMs = 15 * 60_000;
const clockToleranceMs = 60_000;
const registered = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'];

/** @throws {TypeError} when an option is not usable. */
export function createServiceTokens({
  db,
  issuer,
  cipher,
  rotateEvery = '30d',
  ttl = '5m',
  clock = systemClock,
  newId = uuidv7,
  logger = silentLogger,
  name = 'auth',
}: ServiceTokensOptions): ServiceTokens {
  const [rotateEveryMs, ttlSeconds] = [toMs(rotateEvery), Math.floor(toMs(ttl) / 1000)];
  if (issuer === '') throw new TypeError('issuer must not be empty');
  if (ttlSeconds < 1 || toMs(ttl) > maxServiceTokenMs)
    throw new TypeError('ttl must be from 1s to 1h');
  if (rotateEveryMs < publishAheadMs) throw new TypeError('rotateEvery must be at least 2h');
  const keys = createSigningKeys({ db, issuer, cipher, rotateEveryMs, clock, newId, name });
  const rotation = createRotation(() => keys.renew(), clock, logger);
  return {
    async issue({ subject, audience, claims = {} }) {
      assertIssuable(subject, audience, claims);
      const key = await keys.active();
      const issuedAt = Math.floor(clock.now().getTime() / 1000);
      const token = await new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'EdDSA', typ: serviceTokenType, kid: key.id })
        .setIssuer(issuer)
        .setSubject(subject)
        .setAudience(audience)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + ttlSeconds)
        .setJti(newId())
        .sign(key.privateKey);
      if (!isJwtShaped(token)) throw new TypeError('the claims do not fit into a token');
      return token;
    },
    async verify(token, { audience }) {
      if (audience === '') throw new TypeError('audience must not be empty');
      if (!isJwtShaped(token)) throw new InvalidBearerToken();
      const alive = await keys.list();
      const keyOf = async ({ kid }: { kid?: string }) => {
        const key = alive.find((each) => each.id === kid);
        if (key === undefined) throw new errors.JWKSNoMatchingKey();
        return key.publicKey;
      };
      const rules = {
        issuer,
        audience,
        algorithms: ['EdDSA'],
        type: serviceTokenType,
        requiredClaims: ['jti'],
        maxAgeMs: maxServiceTokenMs,
        clockToleranceMs,
      };
      return checkJwt(token, keyOf, rules, clock.now()).then(
        (claims) => claims as ServiceTokenClaims,
        (error: unknown) => {
          throw refusal(error, logger);
        },
      );
    },
    jwks: async () => ({ keys: (await keys.list()).map((key) => key.publicJwk) }),
    rotate: () => keys.hasten(),
    ...rotation,
    [Symbol.asyncDispose]: rotation.stop,
  };
}

function assertIssuable(
  subject: string,
  audience: string,
  claims: Readonly<Record<string, unknown>>,
): void {
  if (subject === '' || audience === '')
    throw new TypeError('subject and audience must not be empty');
  const taken = registered.find((claim) => claim in claims);
  if (taken !== undefined) throw new TypeError(`claims must not set ${taken}`);
}

function createRotation(renew: () => Promise<unknown>, clock: Clock, logger: Logger) {
  let running: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined;
  async function renewFrom(signal: AbortSignal): Promise<void> {
    for (;;) {
      const woken = await clock.sleep(checkEveryMs, signal).then(
        () => true,
        () => false,
      );
      if (!woken) return;
      await renew().catch((error: unknown) =>
        logger.error({ err: error }, 'the signing keys could not be rotated; tried again later'),
      );
    }
  }
  return {
    async start(): Promise<void> {
      if (running !== undefined) return;
      const abort = new AbortController();
      // The first time, whoever starts it is told that it does not work.
      const first = renew();
      const ended = first.then(
        () => renewFrom(abort.signal),
        () => {},
      );
      running = { abort, ended };
      await first.catch((error: unknown) => {
        running = undefined;
        throw error;
      });
    },
    async stop(): Promise<void> {
      running?.abort.abort();
      await running?.ended;
      running = undefined;
    },
  };
}
