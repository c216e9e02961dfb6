import { setting } from '@svc/core';
import * as v from 'valibot';

/** Entries for an app's settings schema: `v.object({ ...tenancySettings })`. */
export const tenancySettings = {
  TENANCY_INVITATION_TTL: v.optional(
    setting.duration('how long an invitation to a tenant works'),
    '7d',
  ),
  TENANCY_DELETION_GRACE: v.optional(
    setting.duration('how long a tenant that its owner deleted can be brought back'),
    '30d',
  ),
};
