import { setting } from '@svc/core';
import * as v from 'valibot';
import { createClientAddress } from './client-address.ts';
import { parseOrigins } from './origins.ts';

const list = (description: string, isValid: (items: readonly string[]) => unknown) =>
  v.pipe(
    setting.list(description),
    v.check((items) => succeeds(() => isValid(items))),
  );

/** The variables of an HTTP service, to be spread into an app's settings schema. */
export const httpSettings = {
  TRUSTED_PROXIES: v.optional(
    list(
      'addresses and CIDR ranges whose X-Forwarded-For is believed, parted by commas',
      (trustedProxies) => createClientAddress({ trustedProxies }),
    ),
    '',
  ),
  CORS_ORIGINS: v.optional(
    list(
      'origins whose pages may call with credentials (https://app.example.com), parted by commas',
      parseOrigins,
    ),
    '',
  ),
};

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    // Which item it is must not be said: the description tells the form.
    return false;
  }
}
