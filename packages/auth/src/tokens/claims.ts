/** What a token says, by the names of RFC 7519; the issuer vouches for it. */
export interface TokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string | readonly string[];
  /** Seconds since 1970. */
  readonly exp: number;
  readonly [claim: string]: unknown;
}

/** The claims of a token of `createServiceTokens`. */
export interface ServiceTokenClaims extends TokenClaims {
  readonly aud: string;
  /** Seconds since 1970. */
  readonly iat: number;
  readonly jti: string;
}

/** Checks bearer tokens that are JWTs. */
export interface TokenVerifier<Claims extends TokenClaims = TokenClaims> {
  /** What the token says. @throws {InvalidBearerToken} @throws {IssuerUnavailable} */
  verify(token: string): Promise<Claims>;
}

/** The `typ` of service tokens: neither an ID token nor an access token of somebody passes for one (RFC 8725 3.11). */
export const serviceTokenType = 'svc+jwt';

/** How old a service token gets at most. */
export const maxServiceTokenMs = 60 * 60_000;
