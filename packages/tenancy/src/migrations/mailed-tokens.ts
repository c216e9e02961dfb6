import type { MigrationStep } from '@svc/db';

export const mailedTokens: MigrationStep = {
  name: '0004_mailed_tokens',
  // Empty until a mail is sent.
  up: [`alter table svc_tenancy.invitations alter column token_hash drop not null`],
  down: [
    // The hash of no token: inviting again mails a link.
    `update svc_tenancy.invitations set token_hash = uuid_send(gen_random_uuid()) where token_hash is null`,
    `alter table svc_tenancy.invitations alter column token_hash set not null`,
  ],
};
