import type { Migrations } from '@svc/db';
import { signingKeys } from './migrations/0011-signing-keys.ts';

/** The tables of `@svc/auth`, in schema `svc_auth`. */
export const authMigrations: Migrations = {
  schema: 'svc_auth',
  steps: [
    {
      name: '0001_users',
      up: [
        `create table svc_auth.users (
          id uuid primary key,
          email text not null,
          email_normalized text not null constraint users_email_key unique,
          name text,
          verified_at timestamptz,
          disabled_at timestamptz,
          version integer not null default 1,
          created_at timestamptz not null
        )`,
        `create table svc_auth.identities (
          id uuid primary key,
          user_id uuid not null references svc_auth.users on delete cascade,
          issuer text not null,
          subject text not null,
          created_at timestamptz not null,
          constraint identities_issuer_subject_key unique (issuer, subject)
        )`,
        `create index identities_user_id_idx on svc_auth.identities (user_id)`,
        `create table svc_auth.password_credentials (
          user_id uuid primary key references svc_auth.users on delete cascade,
          phc text not null,
          version integer not null default 1,
          changed_at timestamptz not null
        )`,
      ],
      down: [
        `drop table svc_auth.password_credentials`,
        `drop table svc_auth.identities`,
        `drop table svc_auth.users`,
      ],
    },
    {
      name: '0002_sessions',
      up: [
        `create table svc_auth.sessions (
          id uuid primary key,
          user_id uuid not null references svc_auth.users on delete cascade,
          token_hash bytea not null constraint sessions_token_hash_key unique,
          device text,
          address text,
          created_at timestamptz not null,
          last_seen_at timestamptz not null,
          idle_expires_at timestamptz not null,
          absolute_expires_at timestamptz not null,
          revoked_at timestamptz,
          revoke_reason text
        )`,
        `create index sessions_live_by_user_idx on svc_auth.sessions (user_id) where revoked_at is null`,
      ],
      down: [`drop table svc_auth.sessions`],
    },
    {
      name: '0003_one_time_tokens',
      up: [
        `create table svc_auth.one_time_tokens (
          id uuid primary key,
          user_id uuid not null references svc_auth.users on delete cascade,
          purpose text not null check (purpose in ('verify', 'reset_password')),
          token_hash bytea not null constraint one_time_tokens_token_hash_key unique,
          pending_password text,
          pending_name text,
          created_at timestamptz not null,
          expires_at timestamptz not null,
          used_at timestamptz
        )`,
        // One unused token per user and purpose: a newer one replaces it in place, so it invalidates the older without a race.
        `create unique index one_time_tokens_unused_key on svc_auth.one_time_tokens (user_id, purpose) where used_at is null`,
      ],
      down: [`drop table svc_auth.one_time_tokens`],
    },
    signingKeys,
  ],
};
