export {
  type ServiceTokenClaims,
  serviceTokenType,
  type TokenClaims,
  type TokenVerifier,
} from './claims.ts';
export { signingKeyPublished } from './events.ts';
export {
  createExternalTokens,
  type ExternalTokensOptions,
  serviceTokenVerifier,
  type ServiceTokenVerifierOptions,
  type TokenAlgorithm,
} from './external-tokens.ts';
export { InvalidBearerToken, IssuerUnavailable } from './failures.ts';
export type { Fetch } from './fetch-json.ts';
export {
  createServiceTokens,
  type NewServiceToken,
  type ServiceTokens,
  type ServiceTokensOptions,
} from './service-tokens.ts';
export type { PublicJwk } from './signing-keys.ts';
