import { type Duration, setting, toMs } from '@svc/core';
import * as v from 'valibot';

const quotaSetting = (description: string, fallback: string) =>
  v.optional(setting.integer(description, 1, 1_000_000), fallback);

const longest = toMs('366d');
/** A window that limits can count in. */
const windowSetting = (description: string, fallback: string) =>
  v.optional(
    v.pipe(
      setting.duration(`${description}; from 1ms to 366d`),
      v.check((value) => isWindow(value)),
    ),
    fallback,
  );
const isWindow = (value: Duration) =>
  Number.isInteger(toMs(value)) && toMs(value) >= 1 && toMs(value) <= longest;

/** How often who may ask for what, and when a caller that misbehaves is slowed down and blocked. */
export const limitSettings = {
  RATE_LIMIT_QUOTA: quotaSetting(
    'how many requests one client address may send in the window',
    '600',
  ),
  RATE_LIMIT_WINDOW: windowSetting('the window of that', '1m'),
  RATE_LIMIT_STORE_TIMEOUT: v.optional(
    setting.duration('how long Redis is waited for before a process counts by itself'),
    '40ms',
  ),
  RATE_LIMIT_SIGN_IN_QUOTA: quotaSetting(
    'how often one client address may try to sign in in the window',
    '30',
  ),
  RATE_LIMIT_SIGN_IN_WINDOW: windowSetting('the window of that', '1m'),
  RATE_LIMIT_MAIL_ADDRESS_QUOTA: quotaSetting(
    'how many requests that send a mail one client address may send in the window',
    '30',
  ),
  RATE_LIMIT_MAIL_RECIPIENT_QUOTA: quotaSetting(
    'how many requests of a kind may name one mailbox in the window, from wherever',
    '5',
  ),
  RATE_LIMIT_MAIL_WINDOW: windowSetting('the window of both', '1h'),
  RATE_LIMIT_CREATE_QUOTA: quotaSetting(
    'how many POST requests one person may send for things of tenants in the window',
    '60',
  ),
  RATE_LIMIT_CREATE_WINDOW: windowSetting('the window of that', '1m'),
  RATE_LIMIT_TENANTS_QUOTA: quotaSetting(
    'how many tenants one person may make in the window',
    '10',
  ),
  RATE_LIMIT_TENANTS_WINDOW: windowSetting('the window of that', '1d'),
  RATE_LIMIT_FREE_PLAN_QUOTA: quotaSetting(
    'how many requests a tenant on the free plan may send in the window',
    '600',
  ),
  RATE_LIMIT_PRO_PLAN_QUOTA: quotaSetting('how many one on the pro plan may send', '6000'),
  RATE_LIMIT_PLAN_WINDOW: windowSetting('the window of both', '1m'),
  ABUSE_SLOW_AT: v.optional(
    setting.integer('from which score on a caller is slowed down', 1, 1_000_000),
    '50',
  ),
  ABUSE_BLOCK_AT: v.optional(
    setting.integer('at which score a caller is blocked', 1, 1_000_000),
    '100',
  ),
  ABUSE_HALF_LIFE: windowSetting('in which time a score halves', '5m'),
  ABUSE_BLOCK_FOR: windowSetting('how long a caller is blocked', '15m'),
  ABUSE_SLOW_BY: v.optional(
    setting.duration('how long a request of a slowed caller is held back'),
    '1s',
  ),
};
