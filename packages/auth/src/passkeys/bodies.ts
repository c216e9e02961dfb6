import * as v from 'valibot';
import { id, timestamp, transport } from '../schemas.ts';
import { RaisedBody } from '../second-factors/schemas.ts';
import {
  AssertionResponseSchema,
  PasskeyNameSchema,
  RegistrationResponseSchema,
} from './schemas.ts';

const challenge = v.pipe(
  v.string(),
  v.maxLength(100),
  v.description('What the options came with.'),
  v.examples(['4l0bVb3q5rJvYx7m2Qk9cT1nZs8wGd6hEa0uPfRiLoM']),
);

export const RegisterPasskeySchema = v.strictObject({
  challenge,
  response: RegistrationResponseSchema,
  name: v.optional(PasskeyNameSchema),
  endOtherSessions: v.optional(
    v.pipe(v.boolean(), v.description("Whether the user's other sessions end.")),
    false,
  ),
});

export const ChallengeOnlySchema = v.strictObject({ challenge });

export const AnswerSchema = v.strictObject({ challenge, response: AssertionResponseSchema });

export const SignInAnswerSchema = v.strictObject({ ...AnswerSchema.entries, transport });

export const ChallengeAnswerSchema = v.strictObject({
  ...SignInAnswerSchema.entries,
  trustDevice: v.optional(
    v.pipe(
      v.boolean(),
      v.description('Whether this browser is asked for no second factor for a while.'),
    ),
    false,
  ),
});

const text = v.pipe(v.string(), v.maxLength(1400));
const milliseconds = v.pipe(v.number(), v.integer(), v.description('Milliseconds.'));
const userVerification = v.picklist(['required', 'preferred']);
const descriptors = v.array(
  v.object({ type: v.literal('public-key'), id: text, transports: v.array(text) }),
);

const CreationOptionsBody = v.pipe(
  v.object({
    rp: v.object({ id: text, name: text }),
    user: v.object({ id: text, name: text, displayName: text }),
    challenge: text,
    pubKeyCredParams: v.array(v.object({ type: v.literal('public-key'), alg: v.number() })),
    timeout: milliseconds,
    excludeCredentials: descriptors,
    authenticatorSelection: v.object({
      residentKey: v.literal('preferred'),
      requireResidentKey: v.literal(false),
      userVerification,
    }),
    attestation: v.literal('none'),
    extensions: v.object({ credProps: v.literal(true) }),
  }),
  v.description('For `PublicKeyCredential.parseCreationOptionsFromJSON`.'),
);

const RequestOptionsBody = v.pipe(
  v.object({
    challenge: text,
    timeout: milliseconds,
    rpId: text,
    allowCredentials: descriptors,
    userVerification,
  }),
  v.description('For `PublicKeyCredential.parseRequestOptionsFromJSON`.'),
);

const token = v.pipe(text, v.description('To be sent with the answer; works once, for 5 minutes.'));

export const CreationBody = v.object({ challenge: token, options: CreationOptionsBody });
export const RequestBody = v.object({ challenge: token, options: RequestOptionsBody });
export const SecondFactorRequestBody = v.object({ options: RequestOptionsBody });

const PasskeyBody = v.object({
  id,
  name: text,
  createdAt: timestamp,
  lastUsedAt: v.nullable(timestamp),
  backedUp: v.pipe(
    v.boolean(),
    v.description('It is on more than one device, or can be restored.'),
  ),
});
export const PasskeysBody = v.object({ items: v.pipe(v.array(PasskeyBody), v.maxLength(20)) });
export const RegisteredBody = v.object({
  ...RaisedBody.entries,
  passkey: PasskeyBody,
  recoveryCodes: v.pipe(
    v.nullable(v.array(text)),
    v.description('With the first second factor. Shown here and never again.'),
  ),
});
