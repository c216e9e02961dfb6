import {
  type Cipher,
  type Clock,
  type Duration,
  type Logger,
  type NewId,
  randomBytes,
  type RandomBytes,
  silentLogger,
  systemClock,
  toMs,
  uuidv7,
} from '@svc/core';
import type { Db } from '@svc/db';
import { type Account, createAccount } from './account/account.ts';
import type { AppendAudit } from './acts.ts';
import { type ApiKeys, createApiKeys, type IsMember, principalOfKey } from './api-keys/api-keys.ts';
import {
  type Authorization,
  type AuthPermission,
  type AuthRole,
  createAuthorization,
} from './authorization.ts';
import { createBackground } from './background.ts';
import { createChallenges } from './challenges.ts';
import type { AuthContext, WriteOptions } from './context.ts';
import { login, type Login, logout } from './login.ts';
import { createDevices } from './lockout/devices.ts';
import { createOwnDevices, type OwnDevices } from './lockout/own-devices.ts';
import { type LockoutOptions, parseLockout } from './lockout/throttle-policy.ts';
import { createThrottles } from './lockout/throttles.ts';
import { deliverMail } from './mail-delivery.ts';
import { type MailRequest, memoryQueue, type QueueMail } from './mail-requests.ts';
import type { SendMail } from './mails.ts';
import { createOneTimeTokens, isTokenShaped } from './one-time-tokens.ts';
import { demandTenant, type IdentityScope } from './identity-scope.ts';
import type { Origin } from './origin.ts';
import { createPasswordHasher, type HashingOptions } from './passwords/password-hasher.ts';
import { forgotPassword, type PasswordReset, resetPassword } from './password-reset.ts';
import { createPasswordPolicy, type PasswordOptions } from './passwords/policy.ts';
import { findOver } from './over.ts';
import { createPurgeCycle, purge, type Purged } from './purge.ts';
import { register, type Registration, resendVerification, verify } from './registration.ts';
import { createPrincipals, type Principal } from './principal.ts';
import { createRefreshFamilies } from './refresh/families.ts';
import { refresh as refreshSession, type Refreshed, refreshGraceMs } from './refresh/refresh.ts';
import { createMfa, type Mfa } from './second-factors/mfa.ts';
import {
  createSessionCache,
  parseSessionCache,
  type SessionCacheOptions,
} from './session-cache.ts';
import { createSessionManagement, type SessionManagement } from './session-management.ts';
import { createSessions } from './sessions.ts';
import type { SignIn } from './sign-in.ts';
import { createUserManagement, type UserManagement } from './user-management.ts';
import type { User } from './users.ts';

/** Sign-in. Whether an address is known shows in no answer, and in no time that an answer takes. */
export interface Auth<
  Permission extends string = string,
  Role extends string = string,
> extends AsyncDisposable {
  /** The roles and permissions that it was made with. */
  readonly authorization: Authorization<Permission, Role>;
  readonly appName: string;
  /** The origin of `publicUrl`, from which browsers may send requests with the session cookie. */
  readonly publicOrigin: string;
  /** The shortest password that is accepted, in code points. */
  readonly minPasswordLength: number;
  /** Takes a registration and mails a link that works for 24 hours; for an address with an account, mails its owner that. @throws {ValidationFailed} @throws {AuthBusy} @throws {BreachCheckUnavailable} */
  register(input: Registration, options?: WriteOptions): Promise<void>;
  /** Mails a new link for a registration that waits; the former one stops working. @throws {ValidationFailed} */
  resendVerification(input: { email: string }, options?: WriteOptions): Promise<void>;
  /** Confirms an address by the token of a link, once. @throws {InvalidToken} */
  verify(input: { token: string }, options?: WriteOptions): Promise<User>;
  /** Opens a session with a new token, or asks for the second factor. @throws {InvalidCredentials} @throws {AuthLocked} @throws {ValidationFailed} @throws {AuthBusy} */
  login(input: Login, options?: WriteOptions): Promise<SignIn>;
  /** Ends the session of a token; one that has ended stays so. */
  logout(input: { token: string }, options?: WriteOptions): Promise<void>;
  /** The next pair of tokens for a refresh token. Used twice, it ends the session, unless the second use is a repetition of the first within 10 seconds. Has a transaction of its own. @throws {InvalidRefreshToken} */
  refresh(
    input: { refreshToken: string },
    options?: Pick<WriteOptions, 'origin'>,
  ): Promise<Refreshed>;
  /** Whose session's token or API key it is, or `null` unless that is alive at this moment. Of one tenant's user, in that tenant only. @throws {TenantRequired} */
  authenticate(token: string, at?: Pick<Origin, 'tenantId'>): Promise<Principal | null>;
  /** Mails a link that works for 30 minutes, if the address has an account. @throws {ValidationFailed} */
  forgotPassword(input: { email: string }, options?: WriteOptions): Promise<void>;
  /** Sets a password by the token of a link, once, ends all sessions and mails the owner. @throws {InvalidToken} @throws {ValidationFailed} @throws {AuthBusy} @throws {BreachCheckUnavailable} */
  resetPassword(input: PasswordReset, options?: WriteOptions): Promise<void>;
  /** What people change about their own account. */
  readonly account: Account;
  /** Second factors, and proving anew who is there. */
  readonly mfa: Mfa;
  readonly sessions: SessionManagement;
  readonly apiKeys: ApiKeys;
  readonly users: UserManagement<Role>;
  /** The browsers in which somebody has signed in before, and which they trust. */
  readonly devices: OwnDevices;
  /** Sends a mail that was queued, with a new link: for the job of `queueMail`. Sends nothing where it is over, such as for somebody disabled or verified by now. Again is harmless: the newest link works. @throws {Error} where it could not be sent */
  deliverMail(request: MailRequest): Promise<void>;
  /** Which of these sessions or API keys never work again, ids that nobody has included: for what others keep by them. */
  findOver(kind: 'session' | 'api_key', ids: readonly string[]): Promise<readonly string[]>;
  /** Deletes what is over: counters of failures, devices, challenges, keys of refresh tokens, old links with what waited for them, apps that were never confirmed. */
  purge(): Promise<Purged>;
  /** Begins to purge once an hour. */
  start(): Promise<void>;
  /** Stops purging and waits for mails that are on their way. */
  stop(): Promise<void>;
  /** For the package's own parts behind subpaths. @internal */
  readonly '~context': AuthContext;
}

export interface AuthOptions<Permission extends string = string, Role extends string = string> {
  db: Db;
  /** Roles and permissions. @default those that every app has */
  authorization?: Authorization<Permission, Role>;
  /** Appends to the audit log in the transaction of every act; `append` of `@svc/audit` fits. @default nothing is audited */
  audit?: AppendAudit;
  /** Encrypts secrets that must be readable again (TOTP, tokens of providers). @default none, and nothing that needs one works */
  cipher?: Cipher;
  /** Roles that bring nothing before a second factor was shown, and how long a browser that its user trusts is asked for none. @default none, and 30d */
  mfa?: { requiredFor?: readonly Role[]; trustDevices?: Duration | false };
  /** Sends one mail; called by `deliverMail`. */
  sendMail: SendMail;
  /** Queues which mail to whom, in the transaction of what it tells: `enqueue` of a queue whose job calls `deliverMail`. @default sent from memory after the commit and after the answer, once */
  queueMail?: QueueMail;
  /** Where people reach the app (`https://app.example.com`); every link starts with it. */
  publicUrl: string;
  /**
   * Whose an identity is. `per_tenant`: an address may register once in each tenant and is another user there; every
   * request says by `origin.tenantId` in which. Not to be changed once there are users. @default 'global'
   */
  identities?: IdentityScope;
  /** Where the people of a tenant reach the app: what links in mails, and redirects from providers, start with. Its value is trusted. @default publicUrl for all */
  tenantUrl?: (tenantId: string) => string | Promise<string>;
  /** What the app is called in mails and on pages. */
  appName: string;
  /** Cost and bounds of password hashing. @default argon2id, 19456 KiB, 2 passes, 3 at once, 64 waiting */
  hashing?: HashingOptions;
  /** How long a session lives unused, and at most; with `cache`, how long it is answered from this process's memory. @default 14d, 90d and no cache */
  sessions?: { idle?: Duration; absolute?: Duration; cache?: SessionCacheOptions };
  /** Hands out refresh tokens to clients that ask for them, and how long the tokens work that they renew; needs `cipher`. @default none, and 10m */
  refresh?: { accessTtl?: Duration };
  /** What API keys begin with; 2 to 16 letters and digits. Whether a user may make a key for a tenant: who is a member of it. @default 'svc', and nobody makes any for a tenant */
  apiKeys?: {
    prefix?: string;
    isMember?: IsMember;
  };
  /** How wrong passwords are slowed down. @default on: 5 from one address, 10 of one account, 50 from one address over accounts are free */
  lockout?: LockoutOptions | false;
  /** Where links lead, under `publicUrl`. @default /auth/verify, /auth/password/reset and /auth/email/confirm */
  paths?: { verify?: string; resetPassword?: string; confirmEmail?: string };
  /** What new passwords must be, and which imported hashes are understood. @default 15 code points, no breach list, no imports */
  passwords?: PasswordOptions;
  /** @default systemClock */
  clock?: Clock;
  /** @default uuidv7 */
  newId?: NewId;
  /** @default randomBytes */
  random?: RandomBytes;
  /** @default silentLogger */
  logger?: Logger;
  /** What events call this instance. @default 'auth' */
  name?: string;
}

/** @throws {TypeError} when an option is not usable. */
export function createAuth<
  const Permission extends string = AuthPermission,
  const Role extends string = AuthRole,
>({
  db,
  authorization = createAuthorization() as unknown as Authorization<Permission, Role>,
  audit,
  cipher,
  mfa: { requiredFor: mfaRoles = [], trustDevices = '30d' } = {},
  sendMail,
  queueMail,
  publicUrl,
  identities = 'global',
  tenantUrl = () => publicUrl,
  appName,
  hashing = {},
  sessions: { idle = '14d', absolute = '90d', cache } = {},
  refresh,
  apiKeys: { prefix: keyPrefix = 'svc', isMember } = {},
  passwords = {},
  lockout = {},
  paths: {
    verify: verifyPath = '/auth/verify',
    resetPassword: resetPath = '/auth/password/reset',
    confirmEmail: confirmPath = '/auth/email/confirm',
  } = {},
  clock = systemClock,
  newId = uuidv7,
  random = randomBytes,
  logger = silentLogger,
  name = 'auth',
}: AuthOptions<Permission, Role>): Auth<Permission, Role> {
  const base = parsePublicUrl(publicUrl);
  const lifetimes = parseLifetimes(idle, absolute);
  const accessTtlMs = parseAccessTtl(refresh);
  const caching = parseSessionCache(cache);
  if (!/^[a-z][a-z0-9]{1,15}$/.test(keyPrefix))
    throw new TypeError('apiKeys.prefix must be 2 to 16 lower-case letters and digits');
  const unknownRole = mfaRoles.find((role) => !authorization.isRole(role));
  if (unknownRole !== undefined)
    throw new TypeError(`mfa.requiredFor names '${unknownRole}', which is no role`);
  const anyAuthorization = authorization as unknown as Authorization;
  const principalOf = createPrincipals({ authorization: anyAuthorization, mfaRoles });
  const { policies, ...lockoutAnswer } = parseLockout(lockout);
  const needCipher = () => {
    if (cipher === undefined) throw new TypeError('createAuth needs the option cipher for this');
    return cipher;
  };
  // At the start rather than at the first sign-in.
  if (refresh !== undefined) needCipher();
  const families = createRefreshFamilies({ cipher: needCipher, random });
  if (identities !== 'global' && identities !== 'per_tenant')
    throw new TypeError('identities must be global or per_tenant');
  const urlOf = async (tenantId: string | null) =>
    tenantId === null ? base : parsePublicUrl(await tenantUrl(tenantId));
  const background = createBackground(logger, systemClock);
  const paths = { verify: verifyPath, reset_password: resetPath, change_email: confirmPath };
  const deliver = (request: MailRequest) => deliverMail(context, { sendMail, paths }, request);
  const context: AuthContext = {
    name,
    appName,
    publicUrl: base,
    urlOf,
    identities,
    db,
    clock,
    newId,
    random,
    logger,
    audit,
    authorization: anyAuthorization,
    principalOf,
    cipher: needCipher,
    hasher: createPasswordHasher(hashing, { foreign: passwords.foreign ?? [], random, logger }),
    passwords: createPasswordPolicy(passwords, { appName, logger }),
    tokens: createOneTimeTokens({ clock, newId, random }),
    challenges: createChallenges({ clock, newId, random }),
    sessions: createSessions({
      ...lifetimes,
      accessTtlMs,
      families,
      cache: caching === null ? undefined : createSessionCache({ ...caching, clock }),
      principalOf,
      clock,
      newId,
      random,
    }),
    refresh: { isEnabled: refresh !== undefined, families },
    throttles: createThrottles({ clock, policies }),
    lockout: lockoutAnswer,
    devices: createDevices({
      trustMs: trustDevices === false ? 0 : toMs(trustDevices),
      clock,
      newId,
      random,
    }),
    queueMail: queueMail ?? memoryQueue(deliver, { background, logger }),
    background,
  };
  const purging = createPurgeCycle(context);
  const stop = async () => {
    await purging.stop();
    await context.background.drained();
  };
  return {
    authorization,
    appName,
    publicOrigin: base.origin,
    minPasswordLength: context.passwords.minLength,
    register: (input, options) => register(context, input, options),
    resendVerification: (input, options) => resendVerification(context, input, options),
    verify: (input, options) => verify(context, input, options),
    login: (input, options) => login(context, input, options),
    logout: (input, options) => logout(context, input, options),
    refresh: (input, options) => refreshSession(context, input, options),
    async authenticate(token, at) {
      const tenantId = demandTenant(context, at);
      // A session's token has 43 characters; a key has more.
      const principal = isTokenShaped(token)
        ? await context.sessions.find(db, token)
        : await principalOfKey(context, keyPrefix, token);
      return principal?.user.tenantId === tenantId ? principal : null;
    },
    forgotPassword: (input, options) => forgotPassword(context, input, options),
    resetPassword: (input, options) => resetPassword(context, input, options),
    account: createAccount(context),
    mfa: createMfa(context),
    sessions: createSessionManagement(context),
    apiKeys: createApiKeys(context, { prefix: keyPrefix, isMember }),
    users: createUserManagement(context),
    devices: createOwnDevices(context),
    deliverMail: deliver,
    findOver: (kind, ids) => findOver(context, kind, ids),
    purge: () => purge(context),
    start: async () => purging.start(),
    stop,
    [Symbol.asyncDispose]: stop,
    '~context': context,
  };
}

function parsePublicUrl(publicUrl: string): URL {
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined;
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== ''
  ) {
    throw new TypeError('publicUrl must be an http(s) URL without user, query and fragment');
  }
  return url;
}

function parseLifetimes(
  idle: Duration,
  absolute: Duration,
): { idleMs: number; absoluteMs: number } {
  const [idleMs, absoluteMs] = [toMs(idle), toMs(absolute)];
  if (idleMs <= 0 || idleMs > absoluteMs)
    throw new TypeError('sessions.idle must be more than nothing and at most sessions.absolute');
  return { idleMs, absoluteMs };
}

function parseAccessTtl({ accessTtl = '10m' }: { accessTtl?: Duration } = {}): number {
  const accessTtlMs = toMs(accessTtl);
  // What is answered once more must still work.
  if (accessTtlMs <= refreshGraceMs) throw new TypeError('refresh.accessTtl must be more than 10s');
  return accessTtlMs;
}
