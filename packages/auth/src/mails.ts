interface Mail<Template extends string, Data> {
  readonly template: Template;
  /** The address on file, never one from the request at hand. */
  readonly to: string;
  readonly data: Data & { readonly appName: string };
}

/**
 * What `sendMail` is asked to send. None contains text that somebody else could have chosen (a name
 * at registration): the recipient may not be the one who asked.
 */
export type AuthMail =
  /** Confirm the address. Say that who did not register should not follow the link. */
  | Mail<'verify', { readonly link: string; readonly expiresInMinutes: number }>
  /** Somebody registered an address that has an account. */
  | Mail<'already_registered', { readonly link: string }>
  | Mail<'reset_password', { readonly link: string; readonly expiresInMinutes: number }>
  | Mail<'password_changed', { readonly link: string }>
  /** Confirm that this address, a new one, is theirs. */
  | Mail<'confirm_email', { readonly link: string; readonly expiresInMinutes: number }>
  /** To the former address. */
  | Mail<'email_changed', { readonly link: string }>
  /** The ways in to the account changed. */
  | Mail<'security_notice', { readonly link: string; readonly change: SecurityChange }>;

export const securityChanges = [
  'mfa_enabled',
  'mfa_disabled',
  'recovery_codes_made',
  'recovery_code_used',
  'passkey_added',
  'passkey_removed',
  /** A passkey told a count that it had passed: there may be a copy of it. It was refused. */
  'passkey_suspected',
  'identity_linked',
  'identity_unlinked',
  'api_key_created',
  'account_locked',
  /** A refresh token was used twice: somebody else may have a copy of it. The session was ended. */
  'session_suspected',
] as const;
export type SecurityChange = (typeof securityChanges)[number];

/** Sends one mail, whose link may hold a token: nothing that stores it before. */
export type SendMail = (mail: AuthMail) => Promise<unknown>;
