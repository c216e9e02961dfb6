import { failure } from '@svc/core';

/** The tenant's plan allows no more of it. */
export class QuotaExceeded extends failure(
  'tenancy.quota_exceeded',
  'forbidden',
  'The plan of this tenant allows no more of these.',
) {}
