import type { AuthContext, WriteOptions } from '../context.ts';
import type { Principal } from '../principal.ts';
import type { SteppedUp } from '../second-factors/step-up.ts';
import type { User } from '../users.ts';
import { confirmEmailChange, requestEmailChange } from './change-email.ts';
import { changePassword, type PasswordChange } from './change-password.ts';
import { rename } from './rename.ts';

/** What people change about their own account: never roles, verification or second factors. None of it is for API keys. */
export interface Account {
  /**
   * Puts a password in force and mails the owner. The current session goes on under a new token; all others end, with
   * devices that are known or trusted and links that were mailed. API keys stay: who suspects them revokes them.
   * Without `currentPassword` it is the first password; the caller has seen to a recent sign-in.
   *
   * @throws {InvalidCredentials} also while wrong passwords are slowed down.
   * @throws {ValidationFailed} @throws {Unauthenticated} @throws {AuthBusy} @throws {BreachCheckUnavailable}
   */
  changePassword(
    principal: Principal,
    input: PasswordChange,
    options?: WriteOptions,
  ): Promise<SteppedUp>;
  /** Changes what the person is called; at most 200 characters. @throws {ValidationFailed} @throws {Unauthenticated} */
  rename(
    principal: Principal,
    input: { name: string | null },
    options?: WriteOptions,
  ): Promise<User>;
  /**
   * Mails the new address a link that works for an hour; for one with an account, mails its owner that. The caller has
   * seen to a recent sign-in with all that the account has. @throws {ValidationFailed} @throws {Unauthenticated}
   */
  requestEmailChange(
    principal: Principal,
    input: { email: string },
    options?: WriteOptions,
  ): Promise<void>;
  /** Moves an account to the address that a link was mailed to, once; all sessions end, as after a change of password, and the former address is told. @throws {InvalidToken} also when somebody else has the address by now */
  confirmEmailChange(input: { token: string }, options?: WriteOptions): Promise<User>;
}

export function createAccount(context: AuthContext): Account {
  return {
    changePassword: (principal, input, options) =>
      changePassword(context, principal, input, options),
    rename: (principal, input, options) => rename(context, principal, input, options),
    requestEmailChange: (principal, input, options) =>
      requestEmailChange(context, principal, input, options),
    confirmEmailChange: (input, options) => confirmEmailChange(context, input, options),
  };
}
