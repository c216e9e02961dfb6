import { challengeTtlMs } from '../challenges.ts';
import type { PasskeyRow, UserRow } from '../tables.ts';
import type { RelyingParty } from './relying-party.ts';

/** Which passkey, and how to reach it. Bytes are base64url everywhere. */
export interface PasskeyDescriptor {
  readonly type: 'public-key';
  readonly id: string;
  readonly transports: readonly string[];
}

/** For `navigator.credentials.create`, by `PublicKeyCredential.parseCreationOptionsFromJSON`. */
export interface PasskeyCreationOptions {
  readonly rp: { readonly id: string; readonly name: string };
  readonly user: { readonly id: string; readonly name: string; readonly displayName: string };
  readonly challenge: string;
  readonly pubKeyCredParams: readonly { readonly type: 'public-key'; readonly alg: number }[];
  /** Milliseconds. */
  readonly timeout: number;
  readonly excludeCredentials: readonly PasskeyDescriptor[];
  readonly authenticatorSelection: {
    readonly residentKey: 'preferred';
    readonly requireResidentKey: false;
    readonly userVerification: 'required' | 'preferred';
  };
  readonly attestation: 'none';
  readonly extensions: { readonly credProps: true };
}

/** For `navigator.credentials.get`, by `PublicKeyCredential.parseRequestOptionsFromJSON`. */
export interface PasskeyRequestOptions {
  readonly challenge: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly rpId: string;
  readonly allowCredentials: readonly PasskeyDescriptor[];
  readonly userVerification: 'required' | 'preferred';
}

/** COSE: EdDSA, ES256 and RS256, what WebAuthn Level 3 5.4 recommends. */
export const algorithms: readonly number[] = [-8, -7, -257];

export function creationOptions(
  party: RelyingParty,
  challenge: string,
  { user, handle, existing }: { user: UserRow; handle: Uint8Array; existing: PasskeyRow[] },
): PasskeyCreationOptions {
  return {
    rp: { id: party.id, name: party.name },
    user: { id: toBase64url(handle), name: user.email, displayName: user.name ?? user.email },
    challenge,
    pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
    timeout: challengeTtlMs,
    excludeCredentials: existing.map(toDescriptor),
    authenticatorSelection: {
      residentKey: 'preferred',
      requireResidentKey: false,
      userVerification: party.userVerification,
    },
    attestation: 'none',
    extensions: { credProps: true },
  };
}

export function requestOptions(
  party: RelyingParty,
  challenge: string,
  { allow, userVerification }: { allow: PasskeyRow[]; userVerification: 'required' | 'preferred' },
): PasskeyRequestOptions {
  return {
    challenge,
    timeout: challengeTtlMs,
    rpId: party.id,
    allowCredentials: allow.map(toDescriptor),
    userVerification,
  };
}

const toDescriptor = (row: PasskeyRow): PasskeyDescriptor => ({
  type: 'public-key',
  id: toBase64url(row.credential_id),
  transports: row.transports,
});

export const toBase64url = (value: Uint8Array): string => Buffer.from(value).toString('base64url');
