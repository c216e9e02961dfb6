export {
  EmailMissing,
  IdentityNotFound,
  IdentityNotLinked,
  IdentityTaken,
  OAuthFailed,
  ProviderUnavailable,
  UnknownProvider,
} from './oauth/failures.ts';
export type { Identity } from './oauth/identities.ts';
export {
  createOAuth,
  type Linked,
  type OAuth,
  type OAuthBeginning,
  type OAuthBegun,
  type OAuthCompleted,
  type OAuthOptions,
  type OAuthReturn,
} from './oauth/oauth.ts';
export type {
  Grant,
  NewAccounts,
  OAuthProvider,
  OAuthServer,
  Profile,
  ProviderOptions,
} from './oauth/provider.ts';
export type { Fetch, ProviderTokens } from './oauth/provider-client.ts';
export { apple, type AppleOptions } from './oauth/providers/apple.ts';
export { github, type GithubOptions } from './oauth/providers/github.ts';
export { google } from './oauth/providers/google.ts';
export { microsoft, type MicrosoftOptions } from './oauth/providers/microsoft.ts';
export { oidc, type OidcOptions } from './oauth/providers/oidc.ts';
