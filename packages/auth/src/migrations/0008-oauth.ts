import type { MigrationStep } from '@svc/db';

export const oauth: MigrationStep = {
  name: '0008_oauth',
  up: [
    // All empty for the identity of a password, which no provider vouches for.
    `alter table svc_auth.identities
      add column provider text,
      add column email text,
      add column tokens_sealed text,
      add column last_used_at timestamptz`,
  ],
  down: [
    // Without their provider they would stand for nothing.
    `delete from svc_auth.identities where provider is not null`,
    `alter table svc_auth.identities
      drop column provider, drop column email, drop column tokens_sealed, drop column last_used_at`,
  ],
};
