import * as v from 'valibot';

// What an address or a password must be is decided by the flows (email.ts, passwords/), for every caller.
// These bound what is looked at, and describe it.
const email = v.pipe(
  v.string(),
  v.maxLength(254),
  v.description('An e-mail address.'),
  v.examples(['ada@example.com']),
);
export const newPassword = v.pipe(
  v.string(),
  v.maxLength(2048),
  v.description(
    'At least 15 characters unless the app says otherwise, at most 1024; each code point is one. No common, breached or foreseeable one.',
  ),
  v.examples(['seven quiet otters at dawn']),
);
const token = v.pipe(
  v.string(),
  v.maxLength(100),
  v.description('The token from the mailed link.'),
  v.examples(['4l0bVb3q5rJvYx7m2Qk9cT1nZs8wGd6hEa0uPfRiLoM']),
);

export const personName = v.pipe(
  v.string(),
  v.maxLength(200),
  v.description('What the person is called.'),
  v.examples(['Ada']),
);

export const RegisterSchema = v.strictObject({
  email,
  password: newPassword,
  name: v.optional(personName),
});

export const EmailSchema = v.strictObject({ email });

export const TokenSchema = v.strictObject({ token });

/** How the client keeps the session. */
export const transport = v.optional(
  v.pipe(
    v.picklist(['cookie', 'bearer', 'refresh']),
    v.description(
      '`cookie` for browsers; `bearer` answers the token in the body, for clients without a cookie jar; `refresh` a token that works for minutes and one that renews it.',
    ),
  ),
  'cookie',
);

export const LoginSchema = v.strictObject({
  email,
  password: v.pipe(v.string(), v.maxLength(2048), v.examples(['seven quiet otters at dawn'])),
  transport,
});

export const RefreshSchema = v.strictObject({
  refreshToken: v.pipe(
    v.string(),
    v.maxLength(200),
    v.description('The newest one of the session.'),
    v.examples([
      'rt_01Jc9vKq3xT7nYb2mZd5eA_000001_4l0bVb3q5rJvYx7m2Qk9cT1nZs8wGd6hEa0uPfRiLoM0aB3xZ',
    ]),
  ),
});

export const ResetPasswordSchema = v.strictObject({ token, password: newPassword });

export const id = v.pipe(v.string(), v.uuid(), v.maxLength(36));
export const timestamp = v.pipe(v.string(), v.isoTimestamp(), v.maxLength(30));
export const boundedText = v.pipe(v.string(), v.maxLength(254));

const UserBody = v.object({
  id,
  email: boundedText,
  name: v.nullable(boundedText),
  createdAt: timestamp,
  mfaEnabled: v.boolean(),
});

const SessionBody = v.object({
  id,
  createdAt: timestamp,
  lastSeenAt: timestamp,
  expiresAt: v.pipe(timestamp, v.description('When it ends unless it is used before.')),
  absoluteExpiresAt: v.pipe(timestamp, v.description('When it ends however much it is used.')),
  level: v.pipe(v.picklist([1, 2]), v.description('2 once a second factor was shown in it.')),
  methods: v.array(v.picklist(['pwd', 'otp', 'recovery_code', 'passkey', 'federated'])),
  authenticatedAt: v.pipe(timestamp, v.description('When the person last proved who they are.')),
});

const DeviceBody = v.object({
  id,
  name: v.pipe(v.nullable(boundedText), v.description('The user agent of the last sign-in.')),
  createdAt: timestamp,
  lastSeenAt: v.pipe(timestamp, v.description('The last sign-in in it.')),
  trustedUntil: v.pipe(
    v.nullable(timestamp),
    v.description('Until when no second factor is asked for in it.'),
  ),
});

export const DevicesBody = v.object({ items: v.pipe(v.array(DeviceBody), v.maxLength(100)) });

/** The tokens of a session whose `transport` was `refresh`. */
export const TokensBody = v.object({
  accessToken: v.pipe(boundedText, v.description('For `Authorization: Bearer`.')),
  accessExpiresAt: v.pipe(timestamp, v.description('When the access token stops working.')),
  refreshToken: v.pipe(boundedText, v.description('To be exchanged for the next pair.')),
  refreshExpiresAt: v.pipe(
    timestamp,
    v.description('When the refresh token stops working, unless the session is used before.'),
  ),
});

export const PendingBody = v.object({ status: v.literal('pending_verification') });
export const VerifiedBody = v.object({ status: v.literal('verified') });
export const AcceptedBody = v.object({ status: v.literal('accepted') });
export const MeBody = v.object({ user: UserBody, session: SessionBody });
export const SignedInBody = v.object({
  status: v.literal('signed_in'),
  ...MeBody.entries,
  token: v.optional(v.pipe(boundedText, v.description('Only where `transport` was `bearer`.'))),
  ...v.partial(TokensBody).entries,
});
export const SecondFactorRequiredBody = v.object({
  status: v.literal('second_factor_required'),
  challenge: v.pipe(boundedText, v.description('To be sent with the second factor.')),
  methods: v.array(v.picklist(['totp', 'passkey', 'recovery_code'])),
  expiresAt: timestamp,
});

export const IdParam = v.strictObject({ id });
export const EndedBody = v.object({ ended: v.pipe(v.number(), v.integer(), v.minValue(0)) });
export const SessionList = v.object({
  items: v.pipe(
    v.array(
      v.object({
        ...SessionBody.entries,
        device: v.nullable(v.pipe(boundedText, v.description('As its browser calls itself.'))),
        address: v.nullable(boundedText),
        current: v.pipe(v.boolean(), v.description('Whether it is the one that asks.')),
      }),
    ),
    v.maxLength(100),
  ),
});
