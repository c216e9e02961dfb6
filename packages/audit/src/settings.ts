import { setting } from '@svc/core';
import * as v from 'valibot';
import { createNoteSigner } from './signed-note.ts';

function isSigningKey(value: string): boolean {
  try {
    createNoteSigner(value);
    return true;
  } catch {
    return false;
  }
}

/** Entries for an app's settings schema: `v.object({ ...auditSettings })`. */
export const auditSettings = {
  AUDIT_SIGNING_KEY: v.optional(
    v.pipe(
      setting.secret('what signs the checkpoints of the audit log, made by svc audit key NAME', {
        requiredInProduction: true,
      }),
      v.check(isSigningKey),
    ),
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
