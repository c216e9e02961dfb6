import type { Db } from '@svc/db';
import type { AuthOptions, Principal } from '../src/index.ts';
import { createPasskeys, type PasskeysOptions } from '../src/passkeys.ts';
import { softwareAuthenticator, type SoftwareAuthenticatorOptions } from '../src/testing.ts';
import { openAuth, password } from './open-auth.ts';

/** Passkeys on a database of the test's, and people who have one. */
export function openPasskeys(
  db: Db,
  options: Omit<PasskeysOptions, 'auth'> & { auth?: Partial<AuthOptions> } = {},
) {
  const { auth: authOptions, ...passkeysOptions } = options;
  const opened = openAuth(db, authOptions);
  const { auth } = opened;
  const passkeys = createPasskeys({ auth, ...passkeysOptions });
  const principalOf = async (token: string): Promise<Principal> => {
    const principal = await auth.authenticate(token);
    if (principal === null) throw new Error('nobody is signed in by this token');
    return principal;
  };
  const device = (more: Partial<SoftwareAuthenticatorOptions> = {}) =>
    softwareAuthenticator({ origin: 'https://app.example.com', rpId: 'app.example.com', ...more });
  return {
    ...opened,
    session: (email?: string) => opened.session(email),
    passkeys,
    principalOf,
    device,
    /** A user who has just added a passkey to their account. */
    async owner(more: Partial<SoftwareAuthenticatorOptions> = {}) {
      const { email, user, principal } = await opened.session();
      const authenticator = device(more);
      const { challenge, options: creation } = await passkeys.registrationOptions(principal);
      const response = authenticator.create(creation);
      const added = await passkeys.register(principal, { challenge, response, name: 'Phone' });
      return {
        email,
        user,
        authenticator,
        ...added,
        principal: await principalOf(added.token),
      };
    },
    /** The challenge of a sign-in that asks for the second factor. */
    async halfSignedIn(email: string) {
      const signIn = await auth.login({ email, password });
      if (signIn.status !== 'second_factor_required') throw new Error('no second factor');
      return signIn;
    },
  };
}

/** One bit of one field of an answer turned over. */
export function tampered<Answer extends { response: object }>(
  answer: Answer,
  field: string,
): Answer {
  const response = answer.response as Record<string, string>;
  const bytes = Buffer.from(response[field] as string, 'base64url');
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  return { ...answer, response: { ...response, [field]: bytes.toString('base64url') } };
}
