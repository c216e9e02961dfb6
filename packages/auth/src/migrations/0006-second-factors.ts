import type { MigrationStep } from '@svc/db';

export const secondFactors: MigrationStep = {
  name: '0006_second_factors',
  up: [
    `create table svc_auth.totp_factors (
      id uuid primary key,
      user_id uuid not null references svc_auth.users on delete cascade,
      secret_sealed text not null,
      last_step bigint,
      created_at timestamptz not null,
      confirmed_at timestamptz
    )`,
    `create unique index totp_factors_pending_key on svc_auth.totp_factors (user_id) where confirmed_at is null`,
    `create unique index totp_factors_confirmed_key on svc_auth.totp_factors (user_id) where confirmed_at is not null`,
    `create table svc_auth.recovery_codes (
      id uuid primary key,
      user_id uuid not null references svc_auth.users on delete cascade,
      code_hash bytea not null,
      created_at timestamptz not null,
      used_at timestamptz,
      constraint recovery_codes_user_id_code_hash_key unique (user_id, code_hash)
    )`,
    `create table svc_auth.passkeys (
      id uuid primary key,
      user_id uuid not null references svc_auth.users on delete cascade,
      credential_id bytea not null constraint passkeys_credential_id_key unique,
      public_key bytea not null,
      sign_count bigint not null,
      transports text[] not null,
      aaguid uuid not null,
      backup_eligible boolean not null,
      backed_up boolean not null,
      name text not null,
      created_at timestamptz not null,
      last_used_at timestamptz
    )`,
    `create index passkeys_user_id_idx on svc_auth.passkeys (user_id)`,
  ],
  down: [
    `drop table svc_auth.passkeys`,
    `drop table svc_auth.recovery_codes`,
    `drop table svc_auth.totp_factors`,
  ],
};
