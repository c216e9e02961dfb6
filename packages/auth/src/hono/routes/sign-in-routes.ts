import { ValidationFailed } from '@svc/core';
import { htmlPage, operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import type { Auth } from '../../auth.ts';
import {
  AuthBusy,
  AuthLocked,
  BreachCheckUnavailable,
  ForeignLogin,
  InvalidCredentials,
  InvalidToken,
  Unauthenticated,
} from '../../failures.ts';
import {
  AcceptedBody,
  EmailSchema,
  LoginSchema,
  MeBody,
  PendingBody,
  RegisterSchema,
  ResetPasswordSchema,
  SecondFactorRequiredBody,
  SignedInBody,
  TokenSchema,
  VerifiedBody,
} from '../../schemas.ts';
import { answerSignIn, toMe } from '../answers.ts';
import { resetForm, verifyForm } from '../forms.ts';
import { resetPage, verifyPage } from '../pages.ts';
import { originOf } from '../origin.ts';
import {
  type AuthEnv,
  ownLogins,
  ownPages,
  presentedToken,
  requireUser,
  type PagesOptions,
} from '../require-user.ts';
import { clearSessionCookie } from '../session-cookie.ts';

/** Registering, signing in and out, forgotten passwords. */
export function signInRoutes(auth: Auth, options: PagesOptions) {
  const ownPagesOnly = ownPages(auth, options);
  const { appName, minPasswordLength: minLength } = auth;
  const tags = ['Sign-in'];
  const security = 'none' as const;

  return new Hono<AuthEnv>()
    .post(
      '/register',
      operation({
        id: 'register',
        summary: 'Register',
        description: 'Answers the same whether or not the address has an account; the mail tells.',
        tags,
        security,
        responses: { 202: { description: 'A mail is on its way.', schema: PendingBody } },
        failures: [ValidationFailed, AuthBusy, BreachCheckUnavailable],
      }),
      validated('json', RegisterSchema),
      async (c) => {
        await auth.register(c.req.valid('json'), { origin: originOf(c) });
        return c.json({ status: 'pending_verification' as const }, 202);
      },
    )
    .get(
      '/verify',
      operation({
        id: 'verifyPage',
        summary: 'The page that a verification link opens',
        description: 'Has a button that posts the token. Opening it uses nothing up.',
        tags,
        security,
        responses: { 200: htmlPage },
      }),
      (c) => verifyPage(c, { appName, token: c.req.query('token') ?? '' }),
    )
    .post(
      '/verify',
      operation({
        id: 'verify',
        summary: 'Confirm an e-mail address',
        tags,
        security,
        responses: { 200: { description: 'The address is confirmed.', schema: VerifiedBody } },
        failures: [ValidationFailed, InvalidToken],
      }),
      verifyForm(auth),
      validated('json', TokenSchema),
      async (c) => {
        await auth.verify(c.req.valid('json'), { origin: originOf(c) });
        return c.json({ status: 'verified' as const }, 200);
      },
    )
    .post(
      '/verify/resend',
      operation({
        id: 'resendVerification',
        summary: 'Mail a new verification link',
        tags,
        security,
        responses: {
          202: {
            description: 'If a registration waits, a mail is on its way.',
            schema: AcceptedBody,
          },
        },
        failures: [ValidationFailed],
      }),
      validated('json', EmailSchema),
      async (c) => {
        await auth.resendVerification(c.req.valid('json'), { origin: originOf(c) });
        return c.json({ status: 'accepted' as const }, 202);
      },
    )
    .post(
      '/login',
      operation({
        id: 'login',
        summary: 'Sign in',
        description:
          'Sets the session cookie, or answers a bearer token, or a pair of tokens, where `transport` asks for it.',
        tags,
        security,
        responses: {
          200: { description: 'Signed in.', schema: SignedInBody },
          202: {
            description: 'The account has a second factor: send it with the challenge.',
            schema: SecondFactorRequiredBody,
          },
        },
        failures: [ValidationFailed, InvalidCredentials, AuthLocked, ForeignLogin, AuthBusy],
      }),
      ownLogins(auth, options),
      validated('json', LoginSchema),
      async (c) => {
        const { transport, ...credentials } = c.req.valid('json');
        const previousToken = presentedToken(c)?.token;
        const input = { ...credentials, previousToken, refresh: transport === 'refresh' };
        const signIn = await auth.login(input, { origin: originOf(c, transport) });
        return answerSignIn(c, signIn, transport);
      },
    )
    .post(
      '/logout',
      operation({
        id: 'logout',
        summary: 'Sign out',
        description: 'Ends the session of the request, if it has one.',
        tags,
        security,
        responses: { 204: { description: 'Signed out.' } },
      }),
      ownPagesOnly,
      async (c) => {
        const presented = presentedToken(c);
        if (presented !== null)
          await auth.logout({ token: presented.token }, { origin: originOf(c) });
        clearSessionCookie(c);
        return c.body(null, 204);
      },
    )
    .get(
      '/me',
      operation({
        id: 'me',
        summary: 'Who is signed in',
        tags,
        responses: { 200: { description: 'The user and the session.', schema: MeBody } },
        failures: [Unauthenticated],
      }),
      requireUser(auth, options),
      (c) => {
        const { user, session } = c.get('principal');
        // requireUser lets nobody else pass.
        if (session === null) throw new Unauthenticated();
        return c.json(toMe(user, session), 200);
      },
    )
    .post(
      '/password/forgot',
      operation({
        id: 'forgotPassword',
        summary: 'Mail a link to choose a new password',
        tags,
        security,
        responses: {
          202: {
            description: 'If the address has an account, a mail is on its way.',
            schema: AcceptedBody,
          },
        },
        failures: [ValidationFailed],
      }),
      validated('json', EmailSchema),
      async (c) => {
        await auth.forgotPassword(c.req.valid('json'), { origin: originOf(c) });
        return c.json({ status: 'accepted' as const }, 202);
      },
    )
    .get(
      '/password/reset',
      operation({
        id: 'resetPasswordPage',
        summary: 'The page that a password link opens',
        tags,
        security,
        responses: { 200: htmlPage },
      }),
      (c) => resetPage(c, { appName, token: c.req.query('token') ?? '', minLength }),
    )
    .post(
      '/password/reset',
      operation({
        id: 'resetPassword',
        summary: 'Choose a new password',
        description: 'Ends all sessions of the user and opens none.',
        tags,
        security,
        responses: { 204: { description: 'The password is changed.' } },
        failures: [ValidationFailed, InvalidToken, AuthBusy, BreachCheckUnavailable],
      }),
      resetForm(auth),
      validated('json', ResetPasswordSchema),
      async (c) => {
        await auth.resetPassword(c.req.valid('json'), { origin: originOf(c) });
        return c.body(null, 204);
      },
    );
}
