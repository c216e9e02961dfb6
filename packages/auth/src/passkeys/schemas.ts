import * as v from 'valibot';

/** Bytes as browsers send them: base64url without padding. */
const bytes = (maxLength: number) =>
  v.pipe(v.string(), v.maxLength(maxLength), v.regex(/^[A-Za-z0-9_-]+$/, 'Must be base64url.'));

// A credential id has at most 1023 bytes (WebAuthn Level 3 4). What else browsers put in is not looked at.
const credential = {
  id: bytes(1364),
  rawId: bytes(1364),
  type: v.literal('public-key'),
};

/** `toJSON()` of what `navigator.credentials.create` answers. */
export const RegistrationResponseSchema = v.pipe(
  v.object({
    ...credential,
    response: v.object({
      clientDataJSON: bytes(4096),
      attestationObject: bytes(8192),
      transports: v.optional(
        v.pipe(v.array(v.pipe(v.string(), v.maxLength(32), v.regex(/^[a-z-]+$/))), v.maxLength(10)),
      ),
    }),
    // WebAuthn Level 3 10.1.3. Unsigned, and of no use to who lies about it.
    clientExtensionResults: v.optional(
      v.object({ credProps: v.optional(v.object({ rk: v.optional(v.boolean()) })) }),
    ),
  }),
  v.description('What `navigator.credentials.create` answered, by its `toJSON`.'),
);

/** `toJSON()` of what `navigator.credentials.get` answers. */
export const AssertionResponseSchema = v.pipe(
  v.object({
    ...credential,
    response: v.object({
      clientDataJSON: bytes(4096),
      authenticatorData: bytes(4096),
      signature: bytes(2048),
      userHandle: v.nullish(bytes(86)),
    }),
  }),
  v.description('What `navigator.credentials.get` answered, by its `toJSON`.'),
);

export type RegistrationResponse = v.InferOutput<typeof RegistrationResponseSchema>;
export type AssertionResponse = v.InferOutput<typeof AssertionResponseSchema>;

/** What a person calls a passkey. */
export const PasskeyNameSchema = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1),
  v.maxLength(100),
  v.regex(/^[^\p{Cc}\p{Cs}]*$/u, 'Must be text without control characters.'),
  v.description('What the person calls it.'),
  v.examples(['Phone']),
);
