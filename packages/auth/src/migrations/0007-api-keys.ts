import type { MigrationStep } from '@svc/db';

export const apiKeys: MigrationStep = {
  name: '0007_api_keys',
  up: [
    `create table svc_auth.api_keys (
      id uuid primary key,
      user_id uuid not null references svc_auth.users on delete cascade,
      name text not null,
      secret_hash bytea not null,
      scopes text[] not null,
      level smallint not null check (level in (1, 2)),
      created_at timestamptz not null,
      expires_at timestamptz,
      last_used_at timestamptz,
      revoked_at timestamptz,
      rotated_to uuid references svc_auth.api_keys on delete set null
    )`,
    `create index api_keys_user_id_idx on svc_auth.api_keys (user_id, id desc)`,
  ],
  down: [`drop table svc_auth.api_keys`],
};
