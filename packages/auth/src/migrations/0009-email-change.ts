import type { MigrationStep } from '@svc/db';

export const emailChange: MigrationStep = {
  name: '0009_email_change',
  up: [
    `alter table svc_auth.one_time_tokens
      add column pending_email text,
      drop constraint one_time_tokens_purpose_check,
      add constraint one_time_tokens_purpose_check
        check (purpose in ('verify', 'reset_password', 'change_email'))`,
  ],
  down: [
    `delete from svc_auth.one_time_tokens where purpose = 'change_email'`,
    `alter table svc_auth.one_time_tokens
      drop column pending_email,
      drop constraint one_time_tokens_purpose_check,
      add constraint one_time_tokens_purpose_check check (purpose in ('verify', 'reset_password'))`,
  ],
};
