import {
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
import { createBackground } from './background.ts';
import type { AuthContext, WriteOptions } from './context.ts';
import { type LoggedIn, login, type Login, logout } from './login.ts';
import { createMailer, type SendMail } from './mails.ts';
import { createOneTimeTokens } from './one-time-tokens.ts';
import { createPasswordHasher, type HashingOptions } from './passwords/password-hasher.ts';
import { forgotPassword, type PasswordReset, resetPassword } from './password-reset.ts';
import { createPasswordPolicy, type PasswordOptions } from './passwords/policy.ts';
import { register, type Registration, resendVerification, verify } from './registration.ts';
import { createSessions, type Principal } from './sessions.ts';
import type { User } from './users.ts';

/** Sign-in. Whether an address is known shows in no answer, and in no time that an answer takes. */
export interface Auth extends AsyncDisposable {
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
  /** Opens a session with a new token. @throws {InvalidCredentials} @throws {ValidationFailed} @throws {AuthBusy} */
  login(input: Login, options?: WriteOptions): Promise<LoggedIn>;
  /** Ends the session of a token; one that has ended stays so. */
  logout(input: { token: string }, options?: WriteOptions): Promise<void>;
  /** Whose token it is, or `null` unless its session is alive at this moment. */
  authenticate(token: string): Promise<Principal | null>;
  /** Mails a link that works for 30 minutes, if the address has an account. @throws {ValidationFailed} */
  forgotPassword(input: { email: string }, options?: WriteOptions): Promise<void>;
  /** Sets a password by the token of a link, once, ends all sessions and mails the owner. @throws {InvalidToken} @throws {ValidationFailed} @throws {AuthBusy} @throws {BreachCheckUnavailable} */
  resetPassword(input: PasswordReset, options?: WriteOptions): Promise<void>;
  /** Opens nothing so far: background work begins with the first mail. */
  start(): Promise<void>;
  /** Waits for mails that are on their way. */
  stop(): Promise<void>;
}

export interface AuthOptions {
  db: Db;
  /** Sends one mail; called after the commit and after the answer. */
  sendMail: SendMail;
  /** Where people reach the app (`https://app.example.com`); every link starts with it. */
  publicUrl: string;
  /** What the app is called in mails and on pages. */
  appName: string;
  /** Cost and bounds of password hashing. @default argon2id, 19456 KiB, 2 passes, 3 at once, 64 waiting */
  hashing?: HashingOptions;
  /** How long a session lives unused, and at most. @default 14d and 90d */
  sessions?: { idle?: Duration; absolute?: Duration };
  /** What new passwords must be, and which imported hashes are understood. @default 15 code points, no breach list, no imports */
  passwords?: PasswordOptions;
  /** Where links lead, under `publicUrl`. @default /auth/verify and /auth/password/reset */
  paths?: { verify?: string; resetPassword?: string };
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
export function createAuth({
  db,
  sendMail,
  publicUrl,
  appName,
  hashing = {},
  sessions: { idle = '14d', absolute = '90d' } = {},
  passwords = {},
  paths: {
    verify: verifyPath = '/auth/verify',
    resetPassword: resetPath = '/auth/password/reset',
  } = {},
  clock = systemClock,
  newId = uuidv7,
  random = randomBytes,
  logger = silentLogger,
  name = 'auth',
}: AuthOptions): Auth {
  const base = parsePublicUrl(publicUrl);
  const lifetimes = parseLifetimes(idle, absolute);
  const context: AuthContext = {
    name,
    db,
    clock,
    newId,
    logger,
    hasher: createPasswordHasher(hashing, { foreign: passwords.foreign ?? [], random, logger }),
    passwords: createPasswordPolicy(passwords, { appName, logger }),
    tokens: createOneTimeTokens({ clock, newId, random }),
    sessions: createSessions({ ...lifetimes, clock, newId, random }),
    mailer: createMailer({
      sendMail,
      publicUrl: base,
      appName,
      paths: { verify: verifyPath, resetPassword: resetPath },
      logger,
    }),
    background: createBackground(logger, systemClock),
  };
  const stop = () => context.background.drained();
  return {
    appName,
    publicOrigin: base.origin,
    minPasswordLength: context.passwords.minLength,
    register: (input, options) => register(context, input, options),
    resendVerification: (input, options) => resendVerification(context, input, options),
    verify: (input, options) => verify(context, input, options),
    login: (input, options) => login(context, input, options),
    logout: (input, options) => logout(context, input, options),
    authenticate: (token) => context.sessions.find(db, token),
    forgotPassword: (input, options) => forgotPassword(context, input, options),
    resetPassword: (input, options) => resetPassword(context, input, options),
    start: async () => {},
    stop,
    [Symbol.asyncDispose]: stop,
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
