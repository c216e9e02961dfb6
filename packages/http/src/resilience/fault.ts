import { isFailure } from '@svc/core';

/**
 * Whether an error says that what was called is ill. A refusal of what was asked (not found, forbidden, invalid) says
 * that it is well.
 */
export function isFault(error: unknown): boolean {
  if (!isFailure(error)) return true;
  return error.kind === 'unavailable' || error.kind === 'timeout' || error.kind === 'rate_limited';
}
