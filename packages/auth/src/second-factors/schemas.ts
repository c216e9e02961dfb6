import * as v from 'valibot';
import { boundedText, MeBody, TokensBody, transport } from '../schemas.ts';

const code = v.pipe(
  v.string(),
  v.maxLength(64),
  v.description('What the app shows, or a recovery code.'),
  v.examples(['492039']),
);
const endOtherSessions = v.optional(
  v.pipe(v.boolean(), v.description("Whether the user's other sessions end.")),
  false,
);
const codeMethod = v.picklist(['totp', 'recovery_code']);

export const ConfirmTotpSchema = v.strictObject({ code, endOtherSessions });

export const RemoveTotpSchema = v.strictObject({
  endOtherSessions: v.optional(
    v.pipe(v.picklist(['true', 'false']), v.description("Whether the user's other sessions end.")),
    'false',
  ),
});

export const ChallengeSchema = v.strictObject({
  challenge: v.pipe(
    v.string(),
    v.maxLength(100),
    v.description('What the first factor was answered with.'),
    v.examples(['4l0bVb3q5rJvYx7m2Qk9cT1nZs8wGd6hEa0uPfRiLoM']),
  ),
  method: codeMethod,
  code,
  transport,
  trustDevice: v.optional(
    v.pipe(
      v.boolean(),
      v.description('Whether this browser is asked for no second factor for a while.'),
    ),
    false,
  ),
});

export const StepUpSchema = v.variant('method', [
  v.strictObject({ method: codeMethod, code }),
  v.strictObject({
    method: v.literal('password'),
    password: v.pipe(v.string(), v.maxLength(2048), v.examples(['seven quiet otters at dawn'])),
  }),
]);

const recoveryCodes = v.pipe(
  v.array(boundedText),
  v.description('Each stands in for the second factor once. Shown here and never again.'),
  v.examples([['7XQ2-9KRD-P4VN-31TB-HZWE-6MAC']]),
);

export const FactorsBody = v.object({
  totp: v.boolean(),
  passkeys: v.pipe(v.number(), v.integer(), v.minValue(0)),
  recoveryCodesLeft: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
export const EnrolmentBody = v.object({
  secret: v.pipe(boundedText, v.description('To be typed where nothing can be scanned.')),
  uri: v.pipe(v.string(), v.maxLength(2048)),
  qrSvg: v.pipe(v.string(), v.maxLength(100_000), v.description('A QR code of the URI.')),
});
export const RaisedBody = v.object({
  ...MeBody.entries,
  token: v.optional(
    v.pipe(
      boundedText,
      v.description('Only for a bearer token, in place of it; a cookie is set anew.'),
    ),
  ),
  // Where the session is kept by a refresh token.
  ...v.partial(TokensBody).entries,
});
export const ConfirmedBody = v.object({
  ...RaisedBody.entries,
  recoveryCodes: v.nullable(recoveryCodes),
});
export const RecoveryCodesBody = v.object({ recoveryCodes });
