import { isFailure } from '@svc/core';
import { documentMiddleware, type HttpEnv } from '@svc/http/hono';
import type { MiddlewareHandler } from 'hono';
import { Unauthenticated } from '../failures.ts';
import type { TokenClaims, TokenVerifier } from '../tokens/claims.ts';
import { InvalidBearerToken, IssuerUnavailable } from '../tokens/failures.ts';
import { bearerOf } from './bearer.ts';
import { challenged } from './challenge.ts';

/** What routes behind `requireToken` find in their context. */
export type TokenEnv<Claims extends TokenClaims = TokenClaims> = {
  Variables: HttpEnv['Variables'] & { token: Claims };
};

/**
 * Lets pass who carries a token that `verifier` accepts, and puts its claims into the context as `token`. It is taken
 * from the Authorization header and from nowhere else: addresses and bodies end up in logs (RFC 9700 4.3.2).
 *
 * @throws {Unauthenticated} without a token.
 * @throws {InvalidBearerToken} @throws {IssuerUnavailable} as the verifier does.
 */
export function requireToken<Claims extends TokenClaims>(
  verifier: TokenVerifier<Claims>,
): MiddlewareHandler<TokenEnv<Claims>> {
  const middleware: MiddlewareHandler<TokenEnv<Claims>> = async (c, next) => {
    const token = bearerOf(c);
    // RFC 6750 3.1: no error code for who did not know that a token is needed.
    if (token === undefined) throw challenged(new Unauthenticated(), 'Bearer');
    const claims = await verifier.verify(token).catch((error: unknown) => {
      throw isFailure(error, InvalidBearerToken)
        ? challenged(error, 'Bearer error="invalid_token"')
        : error;
    });
    c.set('token', claims);
    return next();
  };
  const failures = [Unauthenticated, InvalidBearerToken, IssuerUnavailable];
  return documentMiddleware(middleware, { guards: true, failures });
}
