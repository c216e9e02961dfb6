import { setting, toMs } from '@svc/core';
import * as v from 'valibot';

/** Entries for an app's settings schema: `v.object({ ...authSettings })`. */
export const authSettings = {
  AUTH_SESSION_IDLE: v.optional(setting.duration('how long a session lives unused'), '14d'),
  AUTH_SESSION_ABSOLUTE: v.optional(setting.duration('how long a session lives at most'), '90d'),
  AUTH_SESSION_CACHE: v.optional(
    v.pipe(
      setting.duration(
        'how long a session is answered from memory, and works on after it was ended elsewhere; at most 1s, 0s for never',
      ),
      v.check((value) => toMs(value) <= 1000),
    ),
    '0s',
  ),
  AUTH_ACCESS_TTL: v.optional(
    v.pipe(
      setting.duration('how long a token works that a refresh token renews; more than 10s'),
      v.check((value) => toMs(value) > 10_000),
    ),
    '10m',
  ),
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
  AUTH_LOCKOUT: v.optional(setting.flag('whether wrong passwords are slowed down'), 'true'),
  AUTH_LOCKOUT_FREE: v.optional(
    setting.integer('how many wrong passwords of one account bring no wait', 1, 1000),
    '10',
  ),
  AUTH_LOCKOUT_PAIR_FREE: v.optional(
    setting.integer('the same, of one account from one client address', 1, 1000),
    '5',
  ),
  AUTH_LOCKOUT_ADDRESS_FREE: v.optional(
    setting.integer('the same, from one client address over all accounts', 1, 1000),
    '50',
  ),
  AUTH_LOCKOUT_FIRST_WAIT: v.optional(
    setting.duration('the first wait; each further failure doubles it'),
    '30s',
  ),
  AUTH_LOCKOUT_MAX_WAIT: v.optional(setting.duration('the longest wait'), '15m'),
  AUTH_LOCKOUT_ANSWER: v.optional(
    setting.oneOf('what is said while locked: the same as for a wrong password, or when to retry', [
      'same',
      'retry_after',
    ]),
    'same',
  ),
  AUTH_TRUST_DEVICES: v.optional(
    setting.duration('how long a trusted browser is asked for no second factor; 0s for never'),
    '30d',
  ),
};
