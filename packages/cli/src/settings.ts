import type { Environment } from '@svc/core';

/** The environment of the process: handed to the app's own settings, which know what it means. */
export const readEnvironment = (): Environment => process.env;
