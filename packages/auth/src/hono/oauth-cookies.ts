import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { challengeTtlMs } from '../challenges.ts';

/** Binds a sign-in at a provider to the browser that began it. */
const browserCookieName = '__Host-oauth';
/** Keeps the challenge of a second factor out of addresses and scripts. */
const challengeCookieName = '__Host-challenge';

// Lax: the provider's redirect is a navigation from another site, and brings it.
const attributes = { path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const;
const maxAge = challengeTtlMs / 1000;

export const readBrowserCookie = (c: Context) => getCookie(c, browserCookieName);
export const readChallengeCookie = (c: Context) => getCookie(c, challengeCookieName);

export function setBrowserCookie(c: Context, token: string): void {
  setCookie(c, browserCookieName, token, { ...attributes, maxAge });
}

export function clearBrowserCookie(c: Context): void {
  setCookie(c, browserCookieName, '', { ...attributes, maxAge: 0 });
}

export function setChallengeCookie(c: Context, challenge: string): void {
  setCookie(c, challengeCookieName, challenge, { ...attributes, maxAge });
}
