import type { MigrationStep } from '@svc/db';

export const waysIn: MigrationStep = {
  name: '0012_ways_in',
  up: [
    `alter table svc_auth.passkeys
      -- Empty where the browser did not say; a sign-in with nothing else shows it.
      add column discoverable boolean,
      add column user_verified boolean not null default false`,
    // For purging.
    `create index one_time_tokens_expires_at_idx on svc_auth.one_time_tokens (expires_at)`,
    `create index totp_factors_pending_idx on svc_auth.totp_factors (created_at) where confirmed_at is null`,
  ],
  down: [
    `drop index svc_auth.totp_factors_pending_idx`,
    `drop index svc_auth.one_time_tokens_expires_at_idx`,
    `alter table svc_auth.passkeys drop column discoverable, drop column user_verified`,
  ],
};
