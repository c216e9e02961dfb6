import { setting } from '@svc/core';
import * as v from 'valibot';

/** Entries for an app's settings schema: `v.object({ ...auditSettings })`. */
export const auditSettings = {
  AUDIT_SIGNING_KEY: v.optional(
    setting.secret('what signs the checkpoints of the audit log, from createSigningKey', {
      minLength: 60,
    }),
  ),
  AUDIT_FORMER_PUBLIC_KEYS: v.optional(
    setting.list('the public keys of former signing keys, parted by commas'),
    '',
  ),
  AUDIT_CHECKPOINT_EVERY: v.optional(
    setting.duration('the least time between two checkpoints that are kept'),
    '10m',
  ),
};
