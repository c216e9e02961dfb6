export {
  type ServiceTokenClaims,
  serviceTokenType,
  type TokenClaims,
  type TokenVerifier,
} from './tokens/claims.ts';
export { signingKeyPublished } from './tokens/events.ts';
export {
  createTokenVerifier,
  type TokenVerifierOptions,
  createServiceTokenVerifier,
  type ServiceTokenVerifierOptions,
  type TokenAlgorithm,
} from './tokens/token-verifier.ts';
export { InvalidBearerToken, IssuerUnavailable } from './tokens/failures.ts';
export type { Fetch } from './tokens/fetch-json.ts';
export {
  createServiceTokens,
  type NewServiceToken,
  type ServiceTokens,
  type ServiceTokensOptions,
} from './tokens/service-tokens.ts';
export type { PublicJwk } from './tokens/signing-keys.ts';
