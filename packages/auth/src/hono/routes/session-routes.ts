import { ValidationFailed } from '@svc/core';
import { operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import type { Auth } from '../../auth.ts';
import { InsufficientAuthentication, SessionNotFound, Unauthenticated } from '../../failures.ts';
import { EndedBody, IdParam, SessionList } from '../../schemas.ts';
import { toSessionBody } from '../answers.ts';
import { originOf } from '../origin.ts';
import { type AuthEnv, type PagesOptions, requireUser } from '../require-user.ts';
import { clearSessionCookie } from '../session-cookie.ts';

const tags = ['Sessions'];

/** `/sessions`: where one is signed in. Ending sessions asks for a recent sign-in (ASVS 5.0 7.5.2). */
export function sessionRoutes(auth: Auth, options: PagesOptions) {
  const signedIn = requireUser(auth, options);
  const recently = requireUser(auth, { ...options, maxAge: '1h' });
  const refusals = [Unauthenticated, InsufficientAuthentication];
  return new Hono<AuthEnv>()
    .get(
      '/sessions',
      operation({
        id: 'listSessions',
        summary: 'List the sessions that are alive, newest first',
        tags,
        responses: { 200: { description: 'The sessions.', schema: SessionList } },
        failures: [Unauthenticated],
      }),
      signedIn,
      async (c) => {
        const sessions = await auth.sessions.list(c.get('principal'));
        const items = sessions.map((session) => ({
          ...toSessionBody(session),
          device: session.device,
          address: session.address,
          current: session.current,
        }));
        return c.json({ items }, 200);
      },
    )
    .delete(
      '/sessions/:id',
      operation({
        id: 'revokeSession',
        summary: 'End a session',
        description: 'It is refused on its next request.',
        tags,
        responses: { 204: { description: 'It has ended.' } },
        failures: [ValidationFailed, SessionNotFound, ...refusals],
      }),
      recently,
      validated('param', IdParam),
      async (c) => {
        const { id } = c.req.valid('param');
        await auth.sessions.revoke(c.get('principal'), id, { origin: originOf(c) });
        return c.body(null, 204);
      },
    )
    .post(
      '/sessions/revoke-others',
      operation({
        id: 'revokeOtherSessions',
        summary: 'End all sessions but this one',
        tags,
        responses: { 200: { description: 'How many have ended.', schema: EndedBody } },
        failures: refusals,
      }),
      recently,
      async (c) => {
        const origin = originOf(c);
        const ended = await auth.sessions.revokeOthers(c.get('principal'), { origin });
        return c.json({ ended }, 200);
      },
    )
    .delete(
      '/sessions',
      operation({
        id: 'revokeAllSessions',
        summary: 'Sign out everywhere',
        description: 'Ends all sessions, this one too.',
        tags,
        responses: { 200: { description: 'How many have ended.', schema: EndedBody } },
        failures: refusals,
      }),
      recently,
      async (c) => {
        const ended = await auth.sessions.revokeAll(c.get('principal'), { origin: originOf(c) });
        clearSessionCookie(c);
        return c.json({ ended }, 200);
      },
    );
}
