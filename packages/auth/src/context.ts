import type { Cipher, Clock, Logger, NewId, RandomBytes } from '@svc/core';
import { afterCommit, type Db, type Trx } from '@svc/db';
import type { AppendAudit } from './acts.ts';
import type { Authorization } from './authorization.ts';
import type { Background } from './background.ts';
import type { Challenges } from './challenges.ts';
import type { IdentityScope } from './identity-scope.ts';
import type { Devices } from './lockout/devices.ts';
import type { LockoutAnswer } from './lockout/throttle-policy.ts';
import type { Throttles } from './lockout/throttles.ts';
import type { QueueMail } from './mail-requests.ts';
import type { OneTimeTokens } from './one-time-tokens.ts';
import type { Origin } from './origin.ts';
import type { PrincipalOf } from './principal.ts';
import type { PasswordHasher } from './passwords/password-hasher.ts';
import type { PasswordPolicy } from './passwords/policy.ts';
import type { RefreshFamilies } from './refresh/families.ts';
import type { Sessions } from './sessions.ts';

/** What the flows of one `createAuth` work with. */
export interface AuthContext {
  readonly name: string;
  readonly appName: string;
  /** Where people reach the app. */
  readonly publicUrl: URL;
  /** Where the people of a tenant do; of no tenant, `publicUrl`. */
  urlOf(tenantId: string | null): Promise<URL>;
  /** Whose an identity is. */
  readonly identities: IdentityScope;
  readonly db: Db;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random: RandomBytes;
  readonly logger: Logger;
  readonly audit: AppendAudit | undefined;
  readonly authorization: Authorization;
  readonly principalOf: PrincipalOf;
  readonly hasher: PasswordHasher;
  readonly passwords: PasswordPolicy;
  readonly tokens: OneTimeTokens;
  readonly challenges: Challenges;
  readonly sessions: Sessions;
  /** Tokens that renew sessions, and whether new ones are handed out. */
  readonly refresh: { readonly isEnabled: boolean; readonly families: RefreshFamilies };
  /** Failures, and who has to wait. */
  readonly throttles: Throttles;
  readonly lockout: { readonly answer: LockoutAnswer; readonly maxWaitMs: number };
  /** Browsers in which a user has signed in before. */
  readonly devices: Devices;
  readonly queueMail: QueueMail;
  readonly background: Background;
  /** Encrypts what must be readable again. @throws {TypeError} where `createAuth` got no cipher. */
  cipher(): Cipher;
}

export interface WriteOptions {
  /** The caller's transaction, opened by `transact`. @default one of its own */
  within?: Trx | undefined;
  /** Where the request came from: for the audit log, the list of sessions, and lockout. */
  origin?: Origin | undefined;
}

/** Work for after the answer, and after the commit of the caller's transaction if there is one. */
export function afterwards(
  context: AuthContext,
  within: Trx | undefined,
  task: string,
  work: () => Promise<void>,
): void {
  const begin = () => context.background.run(task, work);
  if (within === undefined) begin();
  else afterCommit(within, begin);
}
