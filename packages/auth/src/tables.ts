import type { Db } from '@svc/db';
import type { Kysely } from 'kysely';

export interface UserRow {
  id: string;
  /** As the person wrote it; where mail goes. */
  email: string;
  /** What makes two spellings one account; of a tenant's user, the tenant stands before it. */
  email_normalized: string;
  name: string | null;
  verified_at: Date | null;
  disabled_at: Date | null;
  version: number;
  created_at: Date;
  /** Beside `user`, which everybody has. */
  roles: string[];
  /** When the first second factor was confirmed; `null` where there is none. */
  mfa_enabled_at: Date | null;
  /** The user handle of passkeys (WebAuthn Level 3 14.6.1): random, so that it tells nothing. */
  passkey_handle: Uint8Array | null;
  /** Whose user it is, where identities belong to tenants. */
  tenant_id: string | null;
}

/** Who vouches for a user: `local` for a password, or the issuer of an OAuth provider. */
export interface IdentityRow {
  id: string;
  user_id: string;
  /** Of a tenant's user, the tenant stands before it. */
  issuer: string;
  subject: string;
  created_at: Date;
  /** The provider by which it came; `null` for a password. */
  provider: string | null;
  /** The address that the provider told last. */
  email: string | null;
  /** The provider's tokens, encrypted, where the app asked to keep them. */
  tokens_sealed: string | null;
  last_used_at: Date | null;
}

export interface PasswordCredentialRow {
  user_id: string;
  /** argon2id as a PHC string, or an imported hash until its owner signs in. */
  phc: string;
  /** Counts changes of the password; a rehash of the same password is none. */
  version: number;
  changed_at: Date;
}

export interface SessionRow {
  id: string;
  user_id: string;
  /** SHA-256 of the token; the token itself is nowhere. */
  token_hash: Uint8Array;
  device: string | null;
  address: string | null;
  created_at: Date;
  last_seen_at: Date;
  idle_expires_at: Date;
  absolute_expires_at: Date;
  revoked_at: Date | null;
  revoke_reason: string | null;
  /** 2 once a second factor was shown in it. */
  level: 1 | 2;
  /** How the person proved who they are, as RFC 8176 names it where it does. */
  methods: string[];
  /** The last time they did. */
  authenticated_at: Date;
  /** The last time with a second factor. */
  second_factor_at: Date | null;
  /** When the token stops working unless it is refreshed; `null` where it works as long as the session lives. */
  access_expires_at: Date | null;
}

export interface RefreshFamilyRow {
  session_id: string;
  /** What the tokens of the session are derived from, encrypted. */
  key_sealed: string;
  /** Of the newest tokens; the first is 1. */
  generation: number;
  /** When they took the place of the former ones. */
  rotated_at: Date;
  /** `renewal` where somebody proved anew who they are. */
  rotated_by: 'sign_in' | 'refresh' | 'renewal';
}

export interface ChallengeRow {
  id: string;
  purpose: string;
  user_id: string | null;
  token_hash: Uint8Array;
  data: { readonly [key: string]: unknown };
  failures: number;
  created_at: Date;
  expires_at: Date;
  used_at: Date | null;
  /** In which it was made, where identities belong to tenants. */
  tenant_id: string | null;
}

export interface ThrottleRow {
  /** SHA-256 of what is counted. */
  key: Uint8Array;
  /** Since the last success or quiet time: what the wait grows with. */
  failures: number;
  /** Since the last success (NIST SP 800-63B-4 3.2.2). */
  consecutive: number;
  last_failed_at: Date;
  locked_until: Date | null;
  /** When the row may go. */
  forget_at: Date;
}

export interface DeviceRow {
  id: string;
  user_id: string;
  /** SHA-256 of the device cookie. */
  token_hash: Uint8Array;
  name: string | null;
  created_at: Date;
  last_seen_at: Date;
  /** Until when no second factor is asked for in it. */
  trusted_until: Date | null;
}

export interface TotpFactorRow {
  id: string;
  user_id: string;
  /** The shared secret, encrypted. */
  secret_sealed: string;
  /** The time step of the last code that was accepted. */
  last_step: bigint | null;
  created_at: Date;
  confirmed_at: Date | null;
}

export interface RecoveryCodeRow {
  id: string;
  user_id: string;
  code_hash: Uint8Array;
  created_at: Date;
  used_at: Date | null;
}

export interface PasskeyRow {
  id: string;
  user_id: string;
  credential_id: Uint8Array;
  /** COSE. */
  public_key: Uint8Array;
  sign_count: bigint;
  transports: string[];
  aaguid: string;
  backup_eligible: boolean;
  backed_up: boolean;
  /** Whether the authenticator knows the account; `null` where the browser did not say. */
  discoverable: boolean | null;
  /** Whether the authenticator has verified its user. */
  user_verified: boolean;
  name: string;
  created_at: Date;
  last_used_at: Date | null;
}

export interface ApiKeyRow {
  id: string;
  user_id: string;
  name: string;
  /** SHA-256 of the secret part. */
  secret_hash: Uint8Array;
  scopes: string[];
  /** The level of the session that made it. */
  level: 1 | 2;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
  revoked_at: Date | null;
  rotated_to: string | null;
  /** The one tenant in which it works. */
  tenant_id: string | null;
}

export interface OneTimeTokenRow {
  id: string;
  user_id: string;
  purpose: string;
  /** SHA-256 of the token, which itself is only in the mail; `null` until that is sent. */
  token_hash: Uint8Array | null;
  /** The PHC string and the name of the registration that this token confirms. */
  pending_password: string | null;
  pending_name: string | null;
  /** The address that this token confirms, of a user who has another. */
  pending_email: string | null;
  created_at: Date;
  expires_at: Date;
  used_at: Date | null;
}

export interface AuthTables {
  'svc_auth.users': UserRow;
  'svc_auth.identities': IdentityRow;
  'svc_auth.password_credentials': PasswordCredentialRow;
  'svc_auth.sessions': SessionRow;
  'svc_auth.refresh_families': RefreshFamilyRow;
  'svc_auth.one_time_tokens': OneTimeTokenRow;
  'svc_auth.challenges': ChallengeRow;
  'svc_auth.throttles': ThrottleRow;
  'svc_auth.devices': DeviceRow;
  'svc_auth.totp_factors': TotpFactorRow;
  'svc_auth.recovery_codes': RecoveryCodeRow;
  'svc_auth.passkeys': PasskeyRow;
  'svc_auth.api_keys': ApiKeyRow;
}

/** The one place where the boundary's untyped database gets this package's tables. */
export function tablesOf(db: Db): Kysely<AuthTables> {
  return db;
}
