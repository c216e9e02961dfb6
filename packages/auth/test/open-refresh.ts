import { testClock } from '@svc/core/testing';
import type { Db } from '@svc/db';
import type { AuthOptions, RefreshGrant } from '../src/index.ts';
import { signedIn } from '../src/testing.ts';
import { openAuth, password } from './open-auth.ts';

/** What a client keeps. */
export interface Kept {
  readonly token: string;
  readonly refreshToken: string;
}

export const kept = (held: { token: string; refresh: RefreshGrant | null }): Kept => {
  if (held.refresh === null) throw new Error('there is no refresh token');
  return { token: held.token, refreshToken: held.refresh.refreshToken };
};

/** Sign-in with refresh tokens, on two processes that share a database and a clock. */
export function openRefresh(db: Db, options: Partial<AuthOptions> = {}) {
  const clock = testClock();
  const opened = openAuth(db, { refresh: {}, clock, ...options });
  const { auth: elsewhere } = openAuth(db, { refresh: {}, clock, ...options });
  return {
    ...opened,
    clock,
    elsewhere,
    /** Somebody who has just signed in with a client that refreshes. */
    async client(known?: string) {
      const email = known ?? (await opened.member());
      const signIn = signedIn(await opened.auth.login({ email, password, refresh: true }));
      return { email, signIn, ...kept(signIn) };
    },
    refresh: async ({ refreshToken }: Kept, auth = opened.auth) =>
      kept(await auth.refresh({ refreshToken })),
    isAlive: async ({ token }: { token: string }, auth = opened.auth) =>
      (await auth.authenticate(token)) !== null,
  };
}
