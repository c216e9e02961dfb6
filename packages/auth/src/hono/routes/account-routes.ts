import { ValidationFailed } from '@svc/core';
import { htmlPage, operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import { ChangePasswordSchema, EmailChangedBody, RenameSchema } from '../../account/schemas.ts';
import type { Auth } from '../../auth.ts';
import {
  AuthBusy,
  BreachCheckUnavailable,
  InsufficientAuthentication,
  InvalidCredentials,
  InvalidToken,
  Unauthenticated,
} from '../../failures.ts';
import { sessionOf } from '../../principal.ts';
import { AcceptedBody, EmailSchema, MeBody, TokenSchema } from '../../schemas.ts';
import { RaisedBody } from '../../second-factors/schemas.ts';
import { toMe, toRaised } from '../answers.ts';
import { confirmEmailForm } from '../forms.ts';
import { originOf } from '../origin.ts';
import { confirmEmailPage } from '../pages.ts';
import { type AuthEnv, type PagesOptions, requireUser } from '../require-user.ts';

const tags = ['Account'];

/** What people change about their own account. */
export function accountRoutes(auth: Auth, options: PagesOptions) {
  return new Hono<AuthEnv>()
    .route('/', ownRoutes(auth, options))
    .route('/', confirmationRoutes(auth));
}

function ownRoutes(auth: Auth, options: PagesOptions) {
  const signedIn = requireUser(auth, options);
  // ASVS 5.0 7.5.1.
  const recently = requireUser(auth, { ...options, level: 'highest', maxAge: '10m' });
  const refusals = [ValidationFailed, Unauthenticated];
  return new Hono<AuthEnv>()
    .patch(
      '/me',
      operation({
        id: 'updateMe',
        summary: 'Change what one is called',
        description: 'Any other field is refused.',
        tags,
        responses: { 200: { description: 'The user and the session.', schema: MeBody } },
        failures: refusals,
      }),
      signedIn,
      validated('json', RenameSchema),
      async (c) => {
        const principal = c.get('principal');
        const origin = originOf(c);
        const user = await auth.account.rename(principal, c.req.valid('json'), { origin });
        return c.json(toMe(user, sessionOf(principal)), 200);
      },
    )
    .post(
      '/password/change',
      operation({
        id: 'changePassword',
        summary: 'Change the password',
        description:
          'Asks for the current one, or, of those who have none, for a recent sign-in. This session goes on under a new token; all others end, and trust in devices. API keys stay.',
        tags,
        responses: { 200: { description: 'The session as it is now.', schema: RaisedBody } },
        failures: [
          ...refusals,
          InvalidCredentials,
          InsufficientAuthentication,
          AuthBusy,
          BreachCheckUnavailable,
        ],
      }),
      signedIn,
      validated('json', ChangePasswordSchema),
      (c, next) => (c.req.valid('json').currentPassword === undefined ? recently(c, next) : next()),
      async (c) => {
        const principal = c.get('principal');
        const origin = originOf(c);
        const changed = await auth.account.changePassword(principal, c.req.valid('json'), {
          origin,
        });
        return c.json(toRaised(c, principal.user, changed), 200);
      },
    )
    .post(
      '/email/change',
      operation({
        id: 'changeEmail',
        summary: 'Ask for another e-mail address',
        description:
          'Mails the new address a link that works for an hour. Answers the same whether or not the address has an account; the mail tells.',
        tags,
        responses: { 202: { description: 'A mail is on its way.', schema: AcceptedBody } },
        failures: [...refusals, InsufficientAuthentication],
      }),
      recently,
      validated('json', EmailSchema),
      async (c) => {
        const input = c.req.valid('json');
        await auth.account.requestEmailChange(c.get('principal'), input, { origin: originOf(c) });
        return c.json({ status: 'accepted' as const }, 202);
      },
    );
}

function confirmationRoutes(auth: Auth) {
  const { appName } = auth;
  const security = 'none' as const;
  return new Hono<AuthEnv>()
    .get(
      '/email/confirm',
      operation({
        id: 'confirmEmailPage',
        summary: 'The page that a link to a new address opens',
        description: 'Has a button that posts the token. Opening it uses nothing up.',
        tags,
        security,
        responses: { 200: htmlPage },
      }),
      (c) => confirmEmailPage(c, { appName, token: c.req.query('token') ?? '' }),
    )
    .post(
      '/email/confirm',
      operation({
        id: 'confirmEmail',
        summary: 'Confirm a new e-mail address',
        description: 'Ends all sessions of the user and opens none.',
        tags,
        security,
        responses: {
          200: { description: 'The account has the new address.', schema: EmailChangedBody },
        },
        failures: [ValidationFailed, InvalidToken],
      }),
      confirmEmailForm(auth),
      validated('json', TokenSchema),
      async (c) => {
        await auth.account.confirmEmailChange(c.req.valid('json'), { origin: originOf(c) });
        return c.json({ status: 'email_changed' as const }, 200);
      },
    );
}
