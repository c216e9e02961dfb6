import { type Duration, setting } from '@svc/core';
import * as v from 'valibot';

const duration = (description: string) =>
  v.pipe(
    setting.text(`${description} (a number and ms, s, m, h or d)`),
    v.regex(/^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/),
    v.transform((value) => value as Duration),
  );

/** Entries for an app's settings schema: `v.object({ ...authSettings })`. */
export const authSettings = {
  AUTH_SESSION_IDLE: v.optional(duration('how long a session lives unused'), '14d'),
  AUTH_SESSION_ABSOLUTE: v.optional(duration('how long a session lives at most'), '90d'),
  AUTH_PASSWORD_MIN_LENGTH: v.optional(
    setting.integer('the least number of characters in a new password', 8, 1024),
    '15',
  ),
};
