import type { MigrationStep } from '@svc/db';

export const oneTimeTokens: MigrationStep = {
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
};
