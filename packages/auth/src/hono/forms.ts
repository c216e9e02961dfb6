import { type Failure, isFailure } from '@svc/core';
import type { Context, MiddlewareHandler } from 'hono';
import type { Auth } from '../auth.ts';
import type { Origin } from '../origin.ts';
import { originOf } from './origin.ts';
import { messagePage } from '@svc/http/hono';
import { resetPage } from './pages.ts';

const maxFormLength = 16_384;

/** What a page's form sent: its text fields. */
type Fields = (name: string) => string;

/** Answers a form that was sent without scripts; anything else goes on to the handler of JSON. */
function formPost(
  answer: (c: Context, field: Fields) => Promise<Response>,
): MiddlewareHandler<{}, string, {}> {
  return async (c, next) => {
    const type = c.req.header('Content-Type')?.split(';', 1)[0]?.trim().toLowerCase();
    if (type !== 'application/x-www-form-urlencoded') return next();
    const text = await c.req.text();
    // Far above a token and the longest password; parsing a megabyte of `a&` would hold up everybody.
    const fields = new URLSearchParams(text.length > maxFormLength ? '' : text);
    return answer(c, (name) => fields.get(name) ?? '');
  };
}

export function verifyForm(auth: Auth) {
  return tokenForm(auth, (token, origin) => auth.verify({ token }, { origin }), {
    title: 'Your address is confirmed',
    text: `You can sign in to ${auth.appName} now.`,
  });
}

export function confirmEmailForm(auth: Auth) {
  const confirm = auth.account.confirmEmailChange;
  return tokenForm(auth, (token, origin) => confirm({ token }, { origin }), {
    title: 'Your e-mail address is changed',
    text: 'You have been signed out everywhere. Sign in with the new address.',
  });
}

function tokenForm(
  { appName }: Auth,
  use: (token: string, origin: Origin) => Promise<unknown>,
  done: { title: string; text: string },
) {
  return formPost(async (c, field) => {
    try {
      await use(field('token'), originOf(c));
    } catch (error) {
      return refusalPage(c, appName, error);
    }
    return messagePage(c, { appName, ...done });
  });
}

export function resetForm(auth: Auth) {
  return formPost(async (c, field) => {
    const { appName, minPasswordLength: minLength } = auth;
    const token = field('token');
    try {
      const input = { token, password: field('password') };
      await auth.resetPassword(input, { origin: originOf(c) });
    } catch (error) {
      const fault = isFailure(error) ? error.details.errors?.[0]?.message : undefined;
      if (fault !== undefined) return resetPage(c, { appName, token, minLength, fault });
      return refusalPage(c, appName, error);
    }
    return messagePage(c, {
      appName,
      title: 'Your password is changed',
      text: 'You have been signed out everywhere. Sign in with the new password.',
    });
  });
}

// People who pressed a button get a page; what is not a failure is a bug and goes where bugs go.
function refusalPage(c: Context, appName: string, error: unknown) {
  if (!isFailure(error)) throw error;
  const { message: text, kind, details } = error as Failure;
  if (details.retryAfterSeconds !== undefined)
    c.header('Retry-After', String(details.retryAfterSeconds));
  return messagePage(c, {
    appName,
    title: 'That did not work',
    text,
    status: kind === 'unavailable' ? 503 : 400,
  });
}
