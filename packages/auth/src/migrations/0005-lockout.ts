import type { MigrationStep } from '@svc/db';

export const lockout: MigrationStep = {
  name: '0005_lockout',
  up: [
    // The key is a hash of what is counted (an account's address, a client's address, a pair): known or unknown alike.
    `create table svc_auth.throttles (
      key bytea primary key,
      failures integer not null,
      consecutive integer not null,
      last_failed_at timestamptz not null,
      locked_until timestamptz,
      forget_at timestamptz not null
    )`,
    `create index throttles_forget_at_idx on svc_auth.throttles (forget_at)`,
    // A browser in which its user has signed in before.
    `create table svc_auth.devices (
      id uuid primary key,
      user_id uuid not null references svc_auth.users on delete cascade,
      token_hash bytea not null constraint devices_token_hash_key unique,
      name text,
      created_at timestamptz not null,
      last_seen_at timestamptz not null,
      trusted_until timestamptz
    )`,
    `create index devices_user_id_idx on svc_auth.devices (user_id)`,
    `create index devices_last_seen_at_idx on svc_auth.devices (last_seen_at)`,
  ],
  down: [`drop table svc_auth.devices`, `drop table svc_auth.throttles`],
};
