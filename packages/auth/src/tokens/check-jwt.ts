import type { Logger } from '@svc/core';
import { errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose';
import type { TokenClaims } from './claims.ts';
import { InvalidBearerToken } from './failures.ts';

/** What a token has to be (RFC 8725): nothing here is ever taken from the token itself. */
export interface JwtRules {
  readonly issuer: string;
  readonly audience: string | readonly string[];
  readonly algorithms: readonly string[];
  /** The `typ` header, or `null` where it is not looked at. */
  readonly type: string | null;
  /** Claims that must be there beside `iss`, `sub`, `aud` and `exp`. */
  readonly requiredClaims: readonly string[];
  /** How long ago it was issued at most; `undefined` is for ever, until `exp`. */
  readonly maxAgeMs: number | undefined;
  readonly clockToleranceMs: number;
}

// Servers take 16 KiB of headers.
const maxTokenLength = 8192;

/** Three parts in base64url, of a length that a header can have. */
export function isJwtShaped(token: string): boolean {
  return token.length <= maxTokenLength && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);
}

/** The claims of a token that one of the keys signed and that keeps to the rules. Throws what jose throws. */
export async function checkJwt(
  token: string,
  keys: JWTVerifyGetKey,
  rules: JwtRules,
  now: Date,
): Promise<TokenClaims> {
  const { type, maxAgeMs, audience } = rules;
  const { payload } = await jwtVerify(token, keys, {
    algorithms: [...rules.algorithms],
    issuer: rules.issuer,
    audience: typeof audience === 'string' ? audience : [...audience],
    // jose takes a token without `exp` unless it is told not to.
    requiredClaims: ['sub', 'exp', ...rules.requiredClaims],
    clockTolerance: rules.clockToleranceMs / 1000,
    currentDate: now,
    ...(type === null ? {} : { typ: type }),
    ...(maxAgeMs === undefined ? {} : { maxTokenAge: maxAgeMs / 1000 }),
  });
  assertTexts(payload, ['sub', ...rules.requiredClaims.filter((claim) => claim === 'jti')]);
  return payload as JWTPayload & TokenClaims;
}

// jose looks whether they are there, not what they are.
function assertTexts(payload: JWTPayload, claims: readonly string[]): void {
  for (const claim of claims) {
    const value = payload[claim];
    if (typeof value !== 'string' || value === '')
      throw new errors.JWTClaimValidationFailed('not a text', payload, claim, 'invalid');
  }
}

/** Whether it was refused because no key of the set has its `kid`. */
export function isUnknownKey(error: unknown): boolean {
  return error instanceof errors.JWKSNoMatchingKey;
}

/** The failure for what `checkJwt` threw. jose's errors carry the claims, so they are neither logged nor kept as a cause. */
export function refusal(error: unknown, logger: Logger): InvalidBearerToken {
  if (error instanceof errors.JOSEError) {
    const claim = 'claim' in error ? { claim: error.claim } : {};
    logger.debug({ reason: error.code, ...claim }, 'a bearer token was refused');
  } else {
    const reason = error instanceof Error ? error.name : typeof error;
    logger.warn({ reason }, 'a bearer token was refused: the key it names cannot be used');
  }
  return new InvalidBearerToken();
}
