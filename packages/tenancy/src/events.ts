import { defineEvent } from '@svc/core';

/** A tenant asked for more than its plan allows. */
export const quotaExceeded = defineEvent<{ tenantId: string; quota: string }>(
  'svc.tenancy.quota_exceeded',
);
