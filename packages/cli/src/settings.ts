import type { Environment } from '@svc/core';

/** What this process was started with: the app's own config says what is read from it. */
export function processEnvironment(): Environment {
  return process.env;
}
