import type { Context } from 'hono';
import type { HeldSession, RefreshGrant, Session } from '../sessions.ts';
import type { SignedIn, SignIn } from '../sign-in.ts';
import type { User } from '../users.ts';
import { presentedToken } from './require-user.ts';
import { readDeviceCookie, setDeviceCookie } from './device-cookie.ts';
import type { Transport } from './origin.ts';
import { setSessionCookie } from './session-cookie.ts';

/** Answers a sign-in: 200 with the session, by cookie or in the body, or 202 while the second factor is missing. */
export function answerSignIn(c: Context, signIn: SignIn, transport: Transport) {
  if (signIn.status === 'second_factor_required') {
    const { status, challenge, methods, expiresAt } = signIn;
    return c.json(
      { status, challenge, methods: [...methods], expiresAt: expiresAt.toISOString() },
      202,
    );
  }
  const { token, user, session } = signIn;
  const body = { status: signIn.status, ...toMe(user, session) };
  if (signIn.refresh !== null) return c.json({ ...body, ...toTokens(token, signIn.refresh) }, 200);
  if (transport === 'bearer') return c.json({ ...body, token }, 200);
  keepSignIn(c, signIn);
  return c.json(body, 200);
}

/** Keeps a sign-in in the browser: its session, and that the browser is known. */
export function keepSignIn(c: Context, { token, session, deviceToken }: SignedIn): void {
  setSessionCookie(c, token, session);
  const device = deviceToken ?? readDeviceCookie(c);
  if (device !== undefined) setDeviceCookie(c, device);
}

/** A session that was raised, as JSON: under its new token, which goes where the former one came from. */
export function toRaised(c: Context, user: User, raised: HeldSession) {
  const { token, session, refresh } = raised;
  const me = toMe(user, session);
  if (refresh !== null) return { ...me, ...toTokens(token, refresh) };
  if (presentedToken(c)?.by === 'bearer') return { ...me, token };
  setSessionCookie(c, token, session);
  return me;
}

/** The tokens of a session that is kept by a refresh token, as JSON. */
export function toTokens(accessToken: string, refresh: RefreshGrant) {
  return {
    accessToken,
    accessExpiresAt: refresh.accessExpiresAt.toISOString(),
    refreshToken: refresh.refreshToken,
    refreshExpiresAt: refresh.refreshExpiresAt.toISOString(),
  };
}

/** Who is signed in, as JSON. */
export function toMe(user: User, session: Session) {
  return {
    user: {
      id: user.id,
      email: user.email,
      name: user.name,
      createdAt: user.createdAt.toISOString(),
      mfaEnabled: user.mfaEnabledAt !== null,
    },
    session: toSessionBody(session),
  };
}

export function toSessionBody(session: Session) {
  return {
    id: session.id,
    createdAt: session.createdAt.toISOString(),
    lastSeenAt: session.lastSeenAt.toISOString(),
    expiresAt: session.expiresAt.toISOString(),
    absoluteExpiresAt: session.absoluteExpiresAt.toISOString(),
    level: session.level,
    methods: [...session.methods],
    authenticatedAt: session.authenticatedAt.toISOString(),
  };
}
