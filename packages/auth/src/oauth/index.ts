export {
  EmailMissing,
  IdentityNotFound,
  IdentityNotLinked,
  IdentityTaken,
  OAuthFailed,
  ProviderUnavailable,
  UnknownProvider,
} from './failures.ts';
export type { Identity } from './identities.ts';
export {
  createOAuth,
  type Linked,
  type OAuth,
  type OAuthBeginning,
  type OAuthBegun,
  type OAuthCompleted,
  type OAuthOptions,
  type OAuthReturn,
} from './oauth.ts';
export type {
  Grant,
  NewAccounts,
  OAuthProvider,
  OAuthServer,
  Profile,
  ProviderOptions,
} from './provider.ts';
export type { Fetch, ProviderTokens } from './provider-client.ts';
export { apple, type AppleOptions } from './providers/apple.ts';
export { github, type GithubOptions } from './providers/github.ts';
export { google } from './providers/google.ts';
export { microsoft, type MicrosoftOptions } from './providers/microsoft.ts';
export { oidc, type OidcOptions } from './providers/oidc.ts';
