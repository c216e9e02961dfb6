import type { MigrationStep } from '@svc/db';

export const levels: MigrationStep = {
  name: '0004_levels',
  up: [
    `alter table svc_auth.users
      add column roles text[] not null default '{}',
      add column mfa_enabled_at timestamptz,
      add column passkey_handle bytea constraint users_passkey_handle_key unique`,
    `alter table svc_auth.sessions
      add column level smallint not null default 1 check (level in (1, 2)),
      add column methods text[] not null default '{pwd}',
      add column authenticated_at timestamptz not null default now(),
      add column second_factor_at timestamptz`,
    `create index sessions_by_user_idx on svc_auth.sessions (user_id, id desc)`,
    // What waits for its second half: a second factor, a passkey's signature, the way back from an issuer.
    `create table svc_auth.challenges (
      id uuid primary key,
      purpose text not null,
      user_id uuid references svc_auth.users on delete cascade,
      token_hash bytea not null constraint challenges_token_hash_key unique,
      data jsonb not null,
      failures integer not null default 0,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      used_at timestamptz
    )`,
    `create index challenges_expires_at_idx on svc_auth.challenges (expires_at)`,
  ],
  down: [
    `drop table svc_auth.challenges`,
    `drop index svc_auth.sessions_by_user_idx`,
    `alter table svc_auth.sessions
      drop column level, drop column methods, drop column authenticated_at, drop column second_factor_at`,
    `alter table svc_auth.users drop column roles, drop column mfa_enabled_at, drop column passkey_handle`,
  ],
};
