import type { MigrationStep } from '@svc/db';

export const mailedTokens: MigrationStep = {
  name: '0014_mailed_tokens',
  // Empty until a mail is sent.
  up: [`alter table svc_auth.one_time_tokens alter column token_hash drop not null`],
  down: [
    // The hash of no token: what waits is kept, and asking again mails a link.
    `update svc_auth.one_time_tokens set token_hash = uuid_send(gen_random_uuid()) where token_hash is null`,
    `alter table svc_auth.one_time_tokens alter column token_hash set not null`,
  ],
};
