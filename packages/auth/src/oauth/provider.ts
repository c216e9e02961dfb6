/** Where people may sign in; made by `google`, `github`, `microsoft`, `apple` and `oidc`, or by hand. */
export interface OAuthProvider {
  /** Stands in paths and beside identities: lower case letters, digits and hyphens. Never changes. */
  readonly id: string;
  /** What people read on the button. */
  readonly name: string;
  readonly server: OAuthServer;
  readonly clientId: string;
  /** `null` for a public client; a function where the secret is made anew for every request. */
  readonly clientSecret: string | ((now: Date) => string) | null;
  /** How the client shows its secret (RFC 6749 2.3.1). */
  readonly clientSecretBy: 'basic' | 'post';
  readonly scopes: readonly string[];
  /** Parameters of the authorization request beside those of the flow. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Which addresses open an account that is not there yet: those the provider has verified, those it is trusted for, or none. */
  readonly newAccounts: NewAccounts;
  /** Whether the provider's tokens are kept, encrypted. */
  readonly storeTokens: boolean;
  /** Who it is. Throws for one who may not sign in. */
  profile(grant: Grant): Profile | Promise<Profile>;
}

export type NewAccounts = 'verified' | 'trusted' | 'never';

/** An OpenID issuer, whose metadata is discovered, or a server of plain OAuth 2. */
export type OAuthServer =
  | { readonly type: 'openid'; readonly issuer: string }
  | {
      readonly type: 'oauth2';
      readonly issuer: string;
      readonly authorizationEndpoint: string;
      readonly tokenEndpoint: string;
    };

/** What the provider granted. */
export interface Grant {
  /** Of the ID token, whose signature, issuer, audience, time and nonce fit, and of the userinfo endpoint; empty with plain OAuth 2. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Reads JSON from the provider with the access token. @throws {OAuthFailed} @throws {ProviderUnavailable} */
  get(url: string): Promise<unknown>;
}

/** Who somebody is at a provider. */
export interface Profile {
  readonly issuer: string;
  /** What never changes: together with the issuer, the key of the account. */
  readonly subject: string;
  readonly email: string | null;
  /** Whether the provider says that it has verified the address. */
  readonly emailVerified: boolean;
  readonly name: string | null;
  /** Whether the provider's word about addresses of a domain is as good as a mail to it. */
  vouchesFor(domain: string): boolean;
}

/** What all providers are configured with. */
export interface ProviderOptions {
  clientId: string;
  clientSecret: string;
  /**
   * Domains of e-mail addresses for which the provider's word is as good as a mail: who shows a verified address there
   * gets the account of that address. `'*'` only where the provider is yours.
   */
  trustedDomains?: readonly string[] | '*';
  /** Which addresses open an account that is not there yet. */
  newAccounts?: NewAccounts;
  /** Asked for beside what signing in needs. @default none */
  scopes?: readonly string[];
  /** Keeps the provider's access and refresh token, encrypted. @default false */
  storeTokens?: boolean;
}

/** Whether a domain is one of a list; not its subdomains, which others may own. */
export function trusts(trusted: readonly string[] | '*', domain: string): boolean {
  return trusted === '*' || trusted.some((each) => each.toLowerCase() === domain);
}

/** A claim that must be text. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** What every OpenID provider tells in the same claims. */
export function standardProfile(
  { claims }: Grant,
  vouchesFor: (domain: string) => boolean,
): Profile {
  return {
    issuer: claims['iss'] as string,
    subject: claims['sub'] as string,
    email: textOf(claims['email']),
    emailVerified: claims['email_verified'] === true,
    name: textOf(claims['name']),
    vouchesFor,
  };
}
