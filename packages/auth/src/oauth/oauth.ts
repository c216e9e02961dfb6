import { isFailure } from '@svc/core';
import { type Db, transact, type Trx } from '@svc/db';
import { recordAlone } from '../acts.ts';
import type { Auth } from '../auth.ts';
import type { AuthContext, WriteOptions } from '../context.ts';
import { InvalidCredentials } from '../failures.ts';
import { demandTenant } from '../identity-scope.ts';
import { type Principal, sessionOf } from '../principal.ts';
import { finishSignIn, type SignIn } from '../sign-in.ts';
import { findUser } from '../users.ts';
import { linkToOwner, resolveOwner } from './accounts.ts';
import { type Attempt, openAttempt, takeAttempt } from './attempts.ts';
import { checkProvider, isLoopback } from './configurations.ts';
import { OAuthFailed, UnknownProvider } from './failures.ts';
import {
  type Identity,
  listIdentities,
  noteUse,
  readTokens,
  unlinkIdentity,
} from './identities.ts';
import type { OAuthProvider, Profile } from './provider.ts';
import {
  createProviderClient,
  type Fetch,
  type ProviderClient,
  type ProviderTokens,
} from './provider-client.ts';
import { parseReturnTo } from './return-to.ts';

/** Signing in at other providers, after RFC 9700: authorization code with PKCE, state and nonce. A principal comes in a session. @throws {AccessDenied} for an API key */
export interface OAuth {
  readonly providers: readonly { readonly id: string; readonly name: string }[];
  /** The first half: where to send the browser, and a token that the same browser has to bring back. Works for 5 minutes. @throws {UnknownProvider} @throws {ProviderUnavailable} @throws {ValidationFailed} */
  begin(input: OAuthBeginning, options?: WriteOptions): Promise<OAuthBegun>;
  /**
   * The second half: signs in, or links the provider to the account of who began. The state works once, also when
   * this fails; with `within`, once that transaction is committed.
   *
   * @throws {OAuthFailed} @throws {IdentityNotLinked} @throws {EmailMissing} @throws {IdentityTaken}
   * @throws {InvalidCredentials} for a disabled user. @throws {UnknownProvider} @throws {ProviderUnavailable}
   */
  complete(input: OAuthReturn, options?: WriteOptions): Promise<OAuthCompleted>;
  /** The accounts at providers by which the user signs in, oldest first. */
  identities(principal: Principal): Promise<readonly Identity[]>;
  /** Takes one of them away. @throws {IdentityNotFound} @throws {LastWayIn} when nothing else is left to sign in with. */
  unlink(principal: Principal, identityId: string, options?: WriteOptions): Promise<void>;
  /** The provider's tokens, or `null` where they are not kept. @throws {IdentityNotFound} */
  tokens(principal: Principal, identityId: string): Promise<ProviderTokens | null>;
}

export interface OAuthBeginning {
  provider: string;
  /** Where the person goes on afterwards: a path of this site. @default '/' */
  returnTo?: string | undefined;
  /** Who links the provider to their account, in a session. @default nobody: a sign-in */
  link?: Principal;
}

export interface OAuthBegun {
  /** To be opened by the browser. Holds the state. */
  readonly url: string;
  /** For a cookie of this browser, and for nothing else. */
  readonly browserToken: string;
}

export interface OAuthReturn {
  provider: string;
  /** The address that the provider sent the browser to; only its query counts. */
  currentUrl: string | URL;
  /** What `begin` answered to this browser. */
  browserToken: string | undefined;
  /** The session of this browser: a sign-in takes its place, and only in it a link is completed. */
  sessionToken?: string | undefined;
  /** Whether the session is to be kept by a refresh token; for apps that take the answer themselves, as a redirect carries no token. @default false */
  refresh?: boolean | undefined;
}

/** The provider is linked; the session stays as it is. */
export interface Linked {
  readonly status: 'linked';
  readonly identityId: string;
}

export type OAuthCompleted = (SignIn | Linked) & { readonly returnTo: string };

export interface OAuthOptions {
  auth: Auth;
  providers: readonly OAuthProvider[];
  /** Where `oauthRoutes` are, under `publicUrl`; part of the redirect URIs that providers know. @default '/auth/oauth' */
  path?: string;
  /** Calls the providers. @default the runtime's */
  fetch?: Fetch;
}

/**
 * Does no I/O; metadata is read at the first sign-in and kept for an hour, keys for five minutes. ID tokens are judged by
 * the machine's clock, not by that of `auth`.
 *
 * @throws {TypeError} when a provider is not usable, two have one id, or `auth` has no cipher.
 */
export function createOAuth(options: OAuthOptions): OAuth {
  const { auth, providers } = options;
  const context = auth['~context'];
  // At the start rather than at the first sign-in.
  context.cipher();
  const clients = createClients(context, options);
  const clientOf = (id: string) => {
    const client = clients.get(id);
    if (client === undefined) throw new UnknownProvider();
    return client;
  };
  return {
    providers: providers.map(({ id, name }) => ({ id, name })),
    begin: (input, given) => begin(context, clientOf(input.provider), input, given),
    complete: (input, given) => complete(context, clientOf(input.provider), input, given),
    async identities(principal) {
      sessionOf(principal);
      return listIdentities(context.db, principal.userId);
    },
    async unlink(principal, identityId, given) {
      sessionOf(principal);
      const { userId } = principal;
      const input = { userId, identityId, providers: [...clients.keys()] };
      await unlinkIdentity(context, input, given);
    },
    async tokens(principal, identityId) {
      sessionOf(principal);
      return readTokens(context, principal.userId, identityId);
    },
  };
}

function createClients(
  context: AuthContext,
  {
    providers,
    path = '/auth/oauth',
    fetch = (url, init) => globalThis.fetch(url, init),
  }: OAuthOptions,
): ReadonlyMap<string, ProviderClient> {
  const { publicUrl, clock, logger } = context;
  const isInsecureAllowed = isLoopback(publicUrl);
  const clients = new Map<string, ProviderClient>();
  for (const provider of providers) {
    checkProvider(provider, isInsecureAllowed);
    if (clients.has(provider.id)) throw new TypeError(`two providers have the id ${provider.id}`);
    const callbackPath = `${path}/${provider.id}/callback`;
    clients.set(
      provider.id,
      createProviderClient({ provider, callbackPath, isInsecureAllowed, fetch, clock, logger }),
    );
  }
  return clients;
}

async function begin(
  context: AuthContext,
  client: ProviderClient,
  { returnTo, link }: OAuthBeginning,
  { within, origin }: WriteOptions = {},
): Promise<OAuthBegun> {
  // Whoever links does it in the tenant whose user they are.
  const tenantId = link === undefined ? demandTenant(context, origin) : link.user.tenantId;
  const url = await context.urlOf(tenantId);
  const attempt = {
    tenantId,
    provider: client.provider.id,
    returnTo: parseReturnTo(returnTo, url.origin),
    link: link === undefined ? null : { userId: link.userId, sessionId: sessionOf(link).id },
  };
  // Before anything is written, so that a provider that is down leaves nothing behind.
  await client.prepare();
  const { secrets, browserToken } = await openAttempt(context, within ?? context.db, attempt);
  return { url: (await client.authorizationUrl(secrets, url)).href, browserToken };
}

async function complete(
  context: AuthContext,
  client: ProviderClient,
  input: OAuthReturn,
  options: WriteOptions = {},
): Promise<OAuthCompleted> {
  const db = options.within ?? context.db;
  const { searchParams } = new URL(input.currentUrl, context.publicUrl);
  const tenantId = demandTenant(context, options.origin);
  const attempt = await takeAttempt(context, db, {
    provider: client.provider.id,
    state: searchParams.get('state'),
    browserToken: input.browserToken,
    tenantId,
  });
  try {
    const granted = await client.exchange(
      searchParams,
      attempt.secrets,
      await context.urlOf(tenantId),
    );
    const { sessionToken, refresh } = input;
    const returned = { ...granted, client, attempt, sessionToken, refresh };
    const result = await transact(db, (trx) => settle(context, trx, returned, options));
    return { ...result, returnTo: attempt.returnTo };
  } catch (error) {
    // What is no sign-in of ours was not recorded: anybody can send a state that nobody gave out.
    if (isFailure(error))
      await recordRefusal(context, client.provider.id, attempt, error.code, options);
    throw error;
  }
}

interface Returned {
  client: ProviderClient;
  attempt: Attempt;
  profile: Profile;
  tokens: ProviderTokens;
  sessionToken: string | undefined;
  refresh: boolean | undefined;
}

async function settle(
  context: AuthContext,
  trx: Trx,
  { client, attempt, profile, tokens, sessionToken, refresh }: Returned,
  { origin = {} }: WriteOptions,
): Promise<SignIn | Linked> {
  const { provider } = client;
  const note = (identityId: string) => {
    const use = { identityId, provider: provider.id, profile };
    return noteUse(context, trx, { ...use, tokens: provider.storeTokens ? tokens : null });
  };
  if (attempt.link !== null) {
    await demandSameSession(context, trx, attempt.link, sessionToken);
    const { userId } = attempt.link;
    const { identityId } = await linkToOwner(context, trx, { userId, provider, profile }, origin);
    await note(identityId);
    return { status: 'linked', identityId };
  }
  const { tenantId } = attempt;
  const claimant = { provider, profile, tenantId };
  const { identityId, userId } = await resolveOwner(context, trx, claimant, origin);
  // Before the second factor is asked for, which would tell a disabled user that the first one fits.
  if ((await findUser(trx, userId)).disabled_at !== null) throw new InvalidCredentials();
  const signIn = await finishSignIn(
    context,
    trx,
    {
      userId,
      // No password was checked, and how well the provider checked is not known to us: one factor.
      credentialVersion: null,
      method: 'federated',
      level: 1,
      previousToken: sessionToken,
      refresh,
    },
    origin,
  );
  await note(identityId);
  return signIn;
}

// Who began may have signed out, or somebody else in, while the browser was away.
async function demandSameSession(
  context: AuthContext,
  trx: Db,
  link: { userId: string; sessionId: string },
  token: string | undefined,
): Promise<void> {
  const principal = token === undefined ? null : await context.sessions.find(trx, token);
  const isSame = principal?.userId === link.userId && principal.session?.id === link.sessionId;
  if (!isSame) throw new OAuthFailed();
}

function recordRefusal(
  context: AuthContext,
  provider: string,
  attempt: Attempt,
  reason: string,
  options: WriteOptions,
): Promise<void> {
  const userId = attempt.link?.userId ?? null;
  const { tenantId } = attempt;
  const details = { method: 'federated', provider, reason, link: attempt.link !== null };
  const act = { type: 'auth.login.failed', outcome: 'failure', userId, tenantId, details } as const;
  return recordAlone(context, act, options);
}
