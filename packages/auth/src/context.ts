import type { Clock, Logger, NewId } from '@svc/core';
import { afterCommit, type Db, type Trx } from '@svc/db';
import type { Background } from './background.ts';
import type { Mailer } from './mails.ts';
import type { OneTimeTokens } from './one-time-tokens.ts';
import type { PasswordHasher } from './passwords/password-hasher.ts';
import type { PasswordPolicy } from './passwords/policy.ts';
import type { Sessions } from './sessions.ts';

/** What the flows of one `createAuth` work with. */
export interface AuthContext {
  readonly name: string;
  readonly db: Db;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
  readonly hasher: PasswordHasher;
  readonly passwords: PasswordPolicy;
  readonly tokens: OneTimeTokens;
  readonly sessions: Sessions;
  readonly mailer: Mailer;
  readonly background: Background;
}

export interface WriteOptions {
  /** The caller's transaction, opened by `transact`. @default one of its own */
  within?: Trx;
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
