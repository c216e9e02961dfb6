import type { Failure } from '@svc/core';

/** The code and the reason of the failure that is thrown. */
export function faultOf(fn: () => unknown): [code: string, reason: unknown] {
  try {
    fn();
  } catch (error) {
    const { code, details } = error as Failure;
    return [code, details?.['reason']];
  }
  return ['no failure', undefined];
}
