import type { Db } from '@svc/db';
import type { Kysely } from 'kysely';

export interface UserRow {
  id: string;
  /** As the person wrote it; where mail goes. */
  email: string;
  /** What makes two spellings one account. */
  email_normalized: string;
  name: string | null;
  verified_at: Date | null;
  disabled_at: Date | null;
  version: number;
  created_at: Date;
}

/** Who vouches for a user: `local` for a password, later an OpenID issuer. */
export interface IdentityRow {
  id: string;
  user_id: string;
  issuer: string;
  subject: string;
  created_at: Date;
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
}

export interface OneTimeTokenRow {
  id: string;
  user_id: string;
  purpose: string;
  /** SHA-256 of the token; the token itself is only in the mail. */
  token_hash: Uint8Array;
  /** The PHC string and the name of the registration that this token confirms. */
  pending_password: string | null;
  pending_name: string | null;
  created_at: Date;
  expires_at: Date;
  used_at: Date | null;
}

export interface AuthTables {
  'svc_auth.users': UserRow;
  'svc_auth.identities': IdentityRow;
  'svc_auth.password_credentials': PasswordCredentialRow;
  'svc_auth.sessions': SessionRow;
  'svc_auth.one_time_tokens': OneTimeTokenRow;
}

/** The one place where the boundary's untyped database gets this package's tables. */
export function tablesOf(db: Db): Kysely<AuthTables> {
  return db;
}
