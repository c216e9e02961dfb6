import { setting } from '@svc/core';
import * as v from 'valibot';

/** Entries for an app's settings schema: `v.object({ ...authSettings })`. */
export const authSettings = {
  AUTH_SESSION_IDLE: v.optional(setting.duration('how long a session lives unused'), '14d'),
  AUTH_SESSION_ABSOLUTE: v.optional(setting.duration('how long a session lives at most'), '90d'),
  AUTH_PASSWORD_MIN_LENGTH: v.optional(
    setting.integer('the least number of characters in a new password', 8, 1024),
    '15',
  ),
  AUTH_ENCRYPTION_KEYS: setting.keys(
    'keys that encrypt second factors and tokens of providers, the newest first, as id:secret with at least 32 characters each (openssl rand -hex 32)',
    { requiredInProduction: true },
  ),
  AUTH_BREACH_LIST_URL: v.optional(
    setting.url(
      'where breached passwords are looked up, such as https://api.pwnedpasswords.com/range/; nowhere where absent',
      ['https', 'http'],
    ),
  ),
  AUTH_BREACH_LIST_UNREACHABLE: v.optional(
    setting.oneOf('what becomes of a new password when the list of breached ones cannot be asked', [
      'accept',
      'refuse',
    ]),
    'accept',
  ),
};
