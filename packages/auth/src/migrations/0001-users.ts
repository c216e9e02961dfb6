import type { MigrationStep } from '@svc/db';

export const users: MigrationStep = {
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
};
