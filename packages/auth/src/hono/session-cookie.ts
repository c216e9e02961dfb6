import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import type { Session } from '../sessions.ts';

/** `__Host-` keeps subdomains and plain http from setting it (ASVS 5.0 3.3.3). */
export const sessionCookieName = '__Host-sid';

const attributes = { path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const;
// Browsers keep no cookie longer (RFC 6265bis 5.5), and Hono throws beyond.
const maxAgeLimitSeconds = 400 * 24 * 60 * 60;

export function readSessionCookie(c: Context): string | undefined {
  return getCookie(c, sessionCookieName);
}

/** Lives as long as the session may; when it ends unused, the server knows. */
export function setSessionCookie(c: Context, token: string, session: Session): void {
  const lifetimeSeconds = Math.floor(
    (session.absoluteExpiresAt.getTime() - session.createdAt.getTime()) / 1000,
  );
  setCookie(c, sessionCookieName, token, {
    ...attributes,
    maxAge: Math.min(lifetimeSeconds, maxAgeLimitSeconds),
  });
}

export function clearSessionCookie(c: Context): void {
  setCookie(c, sessionCookieName, '', { ...attributes, maxAge: 0 });
}
