import { ValidationFailed } from '@svc/core';
import { operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import type { Auth } from '../../auth.ts';
import { InvalidRefreshToken } from '../../failures.ts';
import { RefreshSchema, TokensBody } from '../../schemas.ts';
import { toTokens } from '../answers.ts';
import { originOf } from '../origin.ts';
import type { AuthEnv } from '../require-user.ts';

/**
 * `/refresh`: the next pair of tokens, for clients that hold them themselves. The token is in the body and never in a
 * cookie, so a page of another site has nothing that it could send.
 */
export function refreshRoutes(auth: Auth) {
  return new Hono<AuthEnv>().post(
    '/refresh',
    operation({
      id: 'refresh',
      summary: 'Exchange a refresh token for the next pair of tokens',
      description:
        'The former access token is dead. For 10 seconds, and until the new refresh token is used, the former one is answered the same pair. Used at any other time, a former one ends the session.',
      tags: ['Sign-in'],
      security: 'none',
      responses: { 200: { description: 'The tokens in force.', schema: TokensBody } },
      failures: [ValidationFailed, InvalidRefreshToken],
    }),
    validated('json', RefreshSchema),
    async (c) => {
      const refreshed = await auth.refresh(c.req.valid('json'), { origin: originOf(c, 'refresh') });
      return c.json(toTokens(refreshed.token, refreshed.refresh), 200);
    },
  );
}
