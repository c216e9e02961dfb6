import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { deviceTtlMs } from '../lockout/devices.ts';

/** Names the browser to lockout and trusted devices; never signs anybody in. */
export const deviceCookieName = '__Host-device';

export function readDeviceCookie(c: Context): string | undefined {
  return getCookie(c, deviceCookieName);
}

/** Set again at every sign-in, so that a browser in use never loses it. */
export function setDeviceCookie(c: Context, token: string): void {
  setCookie(c, deviceCookieName, token, {
    path: '/',
    secure: true,
    httpOnly: true,
    sameSite: 'Lax',
    maxAge: deviceTtlMs / 1000,
  });
}
