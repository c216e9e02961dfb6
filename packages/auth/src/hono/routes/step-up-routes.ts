import { ValidationFailed } from '@svc/core';
import { operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import type { Auth } from '../../auth.ts';
import { AuthBusy, InvalidCode, InvalidCredentials, Unauthenticated } from '../../failures.ts';
import { RaisedBody, StepUpSchema } from '../../second-factors/schemas.ts';
import { toRaised } from '../answers.ts';
import { originOf } from '../origin.ts';
import { type AuthEnv, type PagesOptions, requireUser } from '../require-user.ts';

/** Proving anew who is there, where something asks for it (RFC 9470). */
export function stepUpRoutes(auth: Auth, options: PagesOptions) {
  return new Hono<AuthEnv>().post(
    '/step-up',
    operation({
      id: 'stepUp',
      summary: 'Confirm who is there',
      description:
        'Raises this session, under a new token, and no other. A password makes it fresh; level 2 takes a second factor.',
      tags: ['Sign-in'],
      responses: { 200: { description: 'The session as it is now.', schema: RaisedBody } },
      failures: [ValidationFailed, Unauthenticated, InvalidCode, InvalidCredentials, AuthBusy],
    }),
    requireUser(auth, options),
    validated('json', StepUpSchema),
    async (c) => {
      const principal = c.get('principal');
      const origin = originOf(c);
      const raised = await auth.mfa.stepUp(principal, c.req.valid('json'), { origin });
      return c.json(toRaised(c, principal.user, raised), 200);
    },
  );
}
