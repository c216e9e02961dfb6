import { systemClock } from '@svc/core';
import { recordingLogger } from '@svc/core/testing';
import type { Db } from '@svc/db';
import { type HttpEnv, stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { authRoutes } from '../src/hono.ts';
import type { AuthOptions } from '../src/index.ts';
import { totpCode } from '../src/testing.ts';
import { openAuth, password } from './open-auth.ts';

/** Sign-in with an authenticator app in the test's hands. */
export function openMfa(db: Db, options: Partial<AuthOptions> = {}) {
  const opened = openAuth(db, options);
  const { auth, clock } = opened;
  /** What the app shows half a minute from now: a code that was not used yet. */
  const nextCode = async (secret: string) => {
    await clock.advance('30s');
    return totpCode(secret, clock.now());
  };
  const principalOf = async (token: string) => {
    const principal = await auth.authenticate(token);
    if (principal === null) throw new Error('no session is alive for the token');
    return principal;
  };
  return {
    ...opened,
    session: (email?: string) => opened.session(email),
    nextCode,
    principalOf,
    /** A user with an authenticator app, in the session that set it up. */
    async enrolled(email?: string) {
      const before = await opened.session(email);
      const { secret } = await auth.mfa.enrolTotp(before.principal);
      const code = totpCode(secret, clock.now());
      const confirmed = await auth.mfa.confirmTotp(before.principal, { code });
      return {
        email: before.email,
        secret,
        usedCode: code,
        recoveryCodes: confirmed.recoveryCodes ?? [],
        token: confirmed.token,
        principal: await principalOf(confirmed.token),
      };
    },
    /** The challenge of a login whose password was right. */
    async challenge(email: string) {
      const signIn = await auth.login({ email, password });
      if (signIn.status !== 'second_factor_required') throw new Error('no factor is asked for');
      return signIn.challenge;
    },
  };
}

/** The same over HTTP. */
export function openMfaApp(db: Db, options: Partial<AuthOptions> = {}) {
  const opened = openMfa(db, options);
  const logger = recordingLogger();
  const app = new Hono<HttpEnv>();
  stack(app, { logger, clock: systemClock, typeBase: 'https://app.example.com/errors' });
  app.route('/auth', authRoutes(opened.auth));
  const send = (
    method: string,
    path: string,
    json?: unknown,
    headers: Readonly<Record<string, string | undefined>> = {},
  ) =>
    app.request(path, {
      method,
      ...(json !== undefined && { body: JSON.stringify(json) }),
      headers: {
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...(headers as Record<string, string>),
      },
    });
  return { ...opened, app, send, requestLog: logger };
}

/** The session cookie that an answer sets. */
export function cookieOf(answer: Response): string {
  const cookie = answer.headers.get('set-cookie')?.split(';')[0];
  if (cookie === undefined) throw new Error('the answer sets no cookie');
  return cookie;
}
