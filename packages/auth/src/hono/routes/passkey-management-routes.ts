import { ValidationFailed } from '@svc/core';
import { operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import type { Auth } from '../../auth.ts';
import {
  InsufficientAuthentication,
  InvalidChallenge,
  LastWayIn,
  Unauthenticated,
} from '../../failures.ts';
import {
  CreationBody,
  PasskeysBody,
  RegisteredBody,
  RegisterPasskeySchema,
} from '../../passkeys/bodies.ts';
import { TooManyPasskeys, UnknownPasskey } from '../../passkeys/failures.ts';
import type { Passkey } from '../../passkeys/management.ts';
import type { Passkeys } from '../../passkeys/passkeys.ts';
import { IdParam } from '../../schemas.ts';
import { toRaised } from '../answers.ts';
import { originOf } from '../origin.ts';
import { type AuthEnv, type PagesOptions, requireUser } from '../require-user.ts';

/** The passkeys of the user who is signed in. */
export function passkeyManagementRoutes(auth: Auth, passkeys: Passkeys, options: PagesOptions) {
  const tags = ['Passkeys'];
  const signedIn = requireUser(auth, options);
  // Who changes factors shows the highest that they have, now (ASVS 5.0 7.5.1).
  const confirmed = requireUser(auth, { ...options, level: 'highest', maxAge: '10m' });
  const refusals = [Unauthenticated, InsufficientAuthentication];

  return new Hono<AuthEnv>()
    .get(
      '/mfa/passkeys',
      operation({
        id: 'passkeys',
        summary: 'The passkeys of the user',
        tags,
        responses: { 200: { description: 'All of them, oldest first.', schema: PasskeysBody } },
        failures: [Unauthenticated],
      }),
      signedIn,
      async (c) => {
        const all = await passkeys.list(c.get('principal'));
        return c.json({ items: all.map(toBody) }, 200);
      },
    )
    .post(
      '/mfa/passkeys/options',
      operation({
        id: 'passkeyCreationOptions',
        summary: 'Begin to add a passkey',
        tags,
        responses: { 200: { description: 'What the browser needs.', schema: CreationBody } },
        failures: [...refusals, TooManyPasskeys],
      }),
      confirmed,
      async (c) => {
        const origin = originOf(c);
        return c.json(await passkeys.registrationOptions(c.get('principal'), { origin }), 200);
      },
    )
    .post(
      '/mfa/passkeys',
      operation({
        id: 'registerPasskey',
        summary: 'Add a passkey',
        description:
          'Raises the session to level 2 under a new token; with the first second factor, answers recovery codes.',
        tags,
        responses: { 200: { description: 'The passkey counts.', schema: RegisteredBody } },
        failures: [ValidationFailed, InvalidChallenge, ...refusals, TooManyPasskeys],
      }),
      // The challenge comes from `confirmed` a moment ago, and works in that session only.
      signedIn,
      validated('json', RegisterPasskeySchema),
      async (c) => {
        const { user } = c.get('principal');
        const input = c.req.valid('json');
        const origin = originOf(c);
        const added = await passkeys.register(c.get('principal'), input, { origin });
        const { passkey, recoveryCodes, session } = added;
        const mfaEnabledAt = user.mfaEnabledAt ?? session.secondFactorAt;
        const body = {
          passkey: toBody(passkey),
          recoveryCodes: recoveryCodes && [...recoveryCodes],
        };
        return c.json({ ...toRaised(c, { ...user, mfaEnabledAt }, added), ...body }, 200);
      },
    )
    .delete(
      '/mfa/passkeys/:id',
      operation({
        id: 'removePasskey',
        summary: 'Remove a passkey',
        tags,
        responses: { 204: { description: 'It does not work any more.' } },
        failures: [ValidationFailed, ...refusals, UnknownPasskey, LastWayIn],
      }),
      confirmed,
      validated('param', IdParam),
      async (c) => {
        const { id } = c.req.valid('param');
        await passkeys.remove(c.get('principal'), id, { origin: originOf(c) });
        return c.body(null, 204);
      },
    );
}

const toBody = ({ id, name, createdAt, lastUsedAt, backedUp }: Passkey) => ({
  id,
  name,
  createdAt: createdAt.toISOString(),
  lastUsedAt: lastUsedAt?.toISOString() ?? null,
  backedUp,
});
