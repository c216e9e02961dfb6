import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import type { Origin } from '../origin.ts';

/** Names the browser to lockout and trusted devices; never signs anybody in. */
export const deviceCookieName = '__Host-device';

/** Where a request came from, for the flows. */
export function originOf(c: Context): Origin {
  return {
    address: c.get('clientAddress') as string | undefined,
    device: c.req.header('User-Agent'),
    requestId: c.get('requestId') as string | undefined,
    deviceToken: getCookie(c, deviceCookieName),
  };
}
