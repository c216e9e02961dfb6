import { ValidationFailed } from '@svc/core';
import { operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import type { Auth } from '../../auth.ts';
import {
  ForeignLogin,
  InvalidChallenge,
  InvalidCredentials,
  Unauthenticated,
} from '../../failures.ts';
import {
  AnswerSchema,
  ChallengeAnswerSchema,
  ChallengeOnlySchema,
  RequestBody,
  SecondFactorRequestBody,
  SignInAnswerSchema,
} from '../../passkeys/bodies.ts';
import { UnknownPasskey } from '../../passkeys/failures.ts';
import type { Passkeys } from '../../passkeys/passkeys.ts';
import { SignedInBody } from '../../schemas.ts';
import { RaisedBody } from '../../second-factors/schemas.ts';
import { answerSignIn, toRaised } from '../answers.ts';
import { originOf } from '../origin.ts';
import {
  type AuthEnv,
  ownLogins,
  type PagesOptions,
  presentedToken,
  requireUser,
} from '../require-user.ts';

/** Signing in with a passkey: alone, as the second factor, and anew in a session. */
export function passkeySignInRoutes(auth: Auth, passkeys: Passkeys, options: PagesOptions) {
  const tags = ['Passkeys'];
  const security = 'none' as const;
  const own = ownLogins(auth, options);
  const signedIn = requireUser(auth, options);
  const refusals = [ValidationFailed, InvalidChallenge, InvalidCredentials];
  const signedInResponse = { 200: { description: 'Signed in.', schema: SignedInBody } };
  const raisedResponse = { 200: { description: 'The session as it is now.', schema: RaisedBody } };
  const whatIsNeeded = 'What the browser needs.';

  return new Hono<AuthEnv>()
    .post(
      '/passkeys/login/options',
      operation({
        id: 'passkeyLoginOptions',
        summary: 'Begin to sign in with a passkey alone',
        description: 'Names nobody and depends on nobody: the authenticator knows its accounts.',
        tags,
        security,
        responses: { 200: { description: whatIsNeeded, schema: RequestBody } },
      }),
      async (c) => c.json(await passkeys.loginOptions({ origin: originOf(c) }), 200),
    )
    .post(
      '/passkeys/login',
      operation({
        id: 'passkeyLogin',
        summary: 'Sign in with a passkey alone',
        description: 'The authenticator must have verified its user; the session has level 2.',
        tags,
        security,
        responses: signedInResponse,
        failures: [...refusals, ForeignLogin],
      }),
      own,
      validated('json', SignInAnswerSchema),
      async (c) => {
        const { transport, ...answer } = c.req.valid('json');
        const previousToken = presentedToken(c)?.token;
        const input = { ...answer, previousToken, refresh: transport === 'refresh' };
        const signIn = await passkeys.login(input, { origin: originOf(c, transport) });
        return answerSignIn(c, signIn, transport);
      },
    )
    .post(
      '/mfa/challenge/passkey/options',
      operation({
        id: 'passkeyChallengeOptions',
        summary: 'Begin to show a passkey as the second factor of a sign-in',
        description: 'Asked for again, only the newest ones count.',
        tags,
        security,
        responses: { 200: { description: whatIsNeeded, schema: SecondFactorRequestBody } },
        failures: [ValidationFailed, InvalidChallenge, UnknownPasskey],
      }),
      validated('json', ChallengeOnlySchema),
      async (c) => {
        const origin = originOf(c);
        return c.json(await passkeys.secondFactorOptions(c.req.valid('json'), { origin }), 200);
      },
    )
    .post(
      '/mfa/challenge/passkey',
      operation({
        id: 'answerChallengeByPasskey',
        summary: 'Show a passkey as the second factor of a sign-in',
        description: 'Five wrong answers end the challenge, five minutes do as well.',
        tags,
        security,
        responses: signedInResponse,
        failures: [...refusals, ForeignLogin],
      }),
      own,
      validated('json', ChallengeAnswerSchema),
      async (c) => {
        const { transport, ...answer } = c.req.valid('json');
        const previousToken = presentedToken(c)?.token;
        const input = { ...answer, previousToken, refresh: transport === 'refresh' };
        const signIn = await passkeys.answerChallenge(input, { origin: originOf(c, transport) });
        return answerSignIn(c, signIn, transport);
      },
    )
    .post(
      '/step-up/passkey/options',
      operation({
        id: 'passkeyStepUpOptions',
        summary: 'Begin to confirm with a passkey who is there',
        tags,
        responses: { 200: { description: whatIsNeeded, schema: RequestBody } },
        failures: [Unauthenticated, UnknownPasskey],
      }),
      signedIn,
      async (c) =>
        c.json(await passkeys.stepUpOptions(c.get('principal'), { origin: originOf(c) }), 200),
    )
    .post(
      '/step-up/passkey',
      operation({
        id: 'passkeyStepUp',
        summary: 'Confirm with a passkey who is there',
        description: 'Raises this session to level 2, under a new token, and no other.',
        tags,
        responses: raisedResponse,
        failures: [...refusals, Unauthenticated],
      }),
      signedIn,
      validated('json', AnswerSchema),
      async (c) => {
        const principal = c.get('principal');
        const input = c.req.valid('json');
        const raised = await passkeys.stepUp(principal, input, { origin: originOf(c) });
        return c.json(toRaised(c, principal.user, raised), 200);
      },
    );
}
