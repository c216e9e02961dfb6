import type { MigrationStep } from '@svc/db';

export const signingKeys: MigrationStep = {
  name: '0011_signing_keys',
  up: [
    `create table svc_auth.signing_keys (
      id uuid primary key,
      issuer text not null,
      generation integer not null check (generation > 0),
      private_key text not null,
      created_at timestamptz not null,
      activates_at timestamptz not null,
      -- Of the processes that add the next key at once, one does.
      constraint signing_keys_generation_key unique (issuer, generation)
    )`,
  ],
  down: [`drop table svc_auth.signing_keys`],
};
