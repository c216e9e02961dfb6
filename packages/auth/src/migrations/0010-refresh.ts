import type { MigrationStep } from '@svc/db';

export const refresh: MigrationStep = {
  name: '0010_refresh',
  up: [
    `alter table svc_auth.sessions add column access_expires_at timestamptz`,
    // Beside the session and not in it: sessions are read on every request, this only when one is refreshed.
    `create table svc_auth.refresh_families (
      session_id uuid primary key references svc_auth.sessions on delete cascade,
      key_sealed text not null,
      generation integer not null check (generation > 0),
      rotated_at timestamptz not null,
      rotated_by text not null check (rotated_by in ('sign_in', 'refresh', 'renewal'))
    )`,
  ],
  down: [
    `drop table svc_auth.refresh_families`,
    `alter table svc_auth.sessions drop column access_expires_at`,
  ],
};
