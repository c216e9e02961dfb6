import type { MigrationStep } from '@svc/db';

export const sessions: MigrationStep = {
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
};
