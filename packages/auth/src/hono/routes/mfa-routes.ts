import { ValidationFailed } from '@svc/core';
import { operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import type { Auth } from '../../auth.ts';
import {
  ForeignLogin,
  InsufficientAuthentication,
  InvalidChallenge,
  InvalidCode,
  MfaNotEnabled,
  TotpNotFound,
  Unauthenticated,
} from '../../failures.ts';
import { SignedInBody } from '../../schemas.ts';
import {
  ChallengeSchema,
  ConfirmedBody,
  ConfirmTotpSchema,
  EnrolmentBody,
  FactorsBody,
  RecoveryCodesBody,
  RemoveTotpSchema,
} from '../../second-factors/schemas.ts';
import { answerSignIn, toRaised } from '../answers.ts';
import { originOf } from '../origin.ts';
import {
  type AuthEnv,
  ownLogins,
  type PagesOptions,
  presentedToken,
  requireUser,
} from '../require-user.ts';

/** Setting up second factors, and signing in with them. */
export function mfaRoutes(auth: Auth, options: PagesOptions) {
  const tags = ['Second factors'];
  const signedIn = requireUser(auth, options);
  // Who changes factors shows the highest that they have, now (ASVS 5.0 7.5.1).
  const confirmed = requireUser(auth, { ...options, level: 'highest', maxAge: '10m' });
  const refusals = [Unauthenticated, InsufficientAuthentication];

  return new Hono<AuthEnv>()
    .get(
      '/mfa',
      operation({
        id: 'factors',
        summary: 'The second factors of the user',
        tags,
        responses: { 200: { description: 'What is set up.', schema: FactorsBody } },
        failures: [Unauthenticated],
      }),
      signedIn,
      async (c) => c.json(await auth.mfa.factors(c.get('principal')), 200),
    )
    .post(
      '/mfa/totp',
      operation({
        id: 'enrolTotp',
        summary: 'Begin to set up an authenticator app',
        description: 'Takes the place of one that waits; counts once it is confirmed.',
        tags,
        responses: { 200: { description: 'What the app needs.', schema: EnrolmentBody } },
        failures: refusals,
      }),
      confirmed,
      async (c) =>
        c.json(await auth.mfa.enrolTotp(c.get('principal'), { origin: originOf(c) }), 200),
    )
    .post(
      '/mfa/totp/confirm',
      operation({
        id: 'confirmTotp',
        summary: 'Put the authenticator app in force',
        description:
          'Raises the session to level 2 under a new token; with the first factor, answers recovery codes.',
        tags,
        responses: { 200: { description: 'The app is in force.', schema: ConfirmedBody } },
        failures: [ValidationFailed, InvalidCode, ...refusals],
      }),
      signedIn,
      validated('json', ConfirmTotpSchema),
      async (c) => {
        const principal = c.get('principal');
        const origin = originOf(c);
        const confirmed = await auth.mfa.confirmTotp(principal, c.req.valid('json'), { origin });
        const { recoveryCodes, session } = confirmed;
        const user = {
          ...principal.user,
          mfaEnabledAt: principal.user.mfaEnabledAt ?? session.secondFactorAt,
        };
        const body = toRaised(c, user, confirmed);
        return c.json({ ...body, recoveryCodes: recoveryCodes && [...recoveryCodes] }, 200);
      },
    )
    .delete(
      '/mfa/totp',
      operation({
        id: 'removeTotp',
        summary: 'Remove the authenticator app',
        tags,
        responses: { 204: { description: 'There is none any more.' } },
        failures: [ValidationFailed, TotpNotFound, ...refusals],
      }),
      confirmed,
      validated('query', RemoveTotpSchema),
      async (c) => {
        const input = { endOtherSessions: c.req.valid('query').endOtherSessions === 'true' };
        await auth.mfa.removeTotp(c.get('principal'), input, { origin: originOf(c) });
        return c.body(null, 204);
      },
    )
    .post(
      '/mfa/recovery-codes',
      operation({
        id: 'makeRecoveryCodes',
        summary: 'Make new recovery codes',
        description: 'The former ones do not work any more.',
        tags,
        responses: { 200: { description: 'Ten codes.', schema: RecoveryCodesBody } },
        failures: [...refusals, MfaNotEnabled],
      }),
      confirmed,
      async (c) => {
        const origin = originOf(c);
        const recoveryCodes = await auth.mfa.makeRecoveryCodes(c.get('principal'), { origin });
        return c.json({ recoveryCodes }, 200);
      },
    )
    .post(
      '/mfa/challenge',
      operation({
        id: 'answerChallenge',
        summary: 'Show the second factor of a sign-in',
        description: 'Five wrong answers end the challenge, five minutes do as well.',
        tags,
        security: 'none',
        responses: { 200: { description: 'Signed in.', schema: SignedInBody } },
        failures: [ValidationFailed, InvalidChallenge, InvalidCode, ForeignLogin],
      }),
      ownLogins(auth, options),
      validated('json', ChallengeSchema),
      async (c) => {
        const { transport, ...answer } = c.req.valid('json');
        const previousToken = presentedToken(c)?.token;
        const input = { ...answer, previousToken, refresh: transport === 'refresh' };
        const origin = originOf(c, transport);
        const signIn = await auth.mfa.answerChallenge(input, { origin });
        return answerSignIn(c, signIn, transport);
      },
    );
}
