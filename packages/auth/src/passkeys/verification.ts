import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import { decodeAttestationObject } from '@simplewebauthn/server/helpers';
import * as v from 'valibot';
import { algorithms } from './options.ts';
import type { RelyingParty } from './relying-party.ts';
import type { AssertionResponse, RegistrationResponse } from './schemas.ts';

/** What an authenticator said about the credential that it used. */
export interface Assertion {
  readonly userVerified: boolean;
  readonly signCount: bigint;
  readonly backupEligible: boolean;
  readonly backedUp: boolean;
}

export interface NewCredential extends Assertion {
  readonly id: Uint8Array;
  /** COSE. */
  readonly publicKey: Uint8Array;
  readonly aaguid: string;
  readonly transports: readonly string[];
  /** `null` where the browser did not say. */
  readonly discoverable: boolean | null;
}

export interface Expectation {
  isChallenge(challenge: string): boolean;
  userVerification: 'required' | 'preferred';
}

// RSA with 8192 bits fits; what is longer costs time to no use.
const maxPublicKeyBytes = 1100;
const maxCredentialIdBytes = 1023;

/** WebAuthn Level 3 7.1; `null` for what any step of it refuses. The library's messages quote the input, so none gets out. */
export async function verifyNewCredential(
  party: RelyingParty,
  response: RegistrationResponse,
  { isChallenge, userVerification }: Expectation,
): Promise<NewCredential | null> {
  const { attestationObject, clientDataJSON, transports = [] } = response.response;
  try {
    if (isFramed(clientDataJSON) || !isUnattested(attestationObject)) return null;
    const { verified, registrationInfo: found } = await verifyRegistrationResponse({
      response: {
        ...response,
        response: { attestationObject, clientDataJSON },
        clientExtensionResults: {},
      },
      expectedChallenge: isChallenge,
      expectedOrigin: [...party.origins],
      expectedRPID: party.id,
      requireUserVerification: userVerification === 'required',
      supportedAlgorithmIDs: [...algorithms],
    });
    if (!verified) return null;
    const id = Buffer.from(found.credential.id, 'base64url');
    const { publicKey, counter } = found.credential;
    if (id.length === 0 || id.length > maxCredentialIdBytes) return null;
    if (publicKey.length > maxPublicKeyBytes) return null;
    return {
      id,
      publicKey,
      signCount: BigInt(counter),
      aaguid: found.aaguid,
      transports,
      discoverable: response.clientExtensionResults?.credProps?.rk ?? null,
      userVerified: found.userVerified,
      backupEligible: found.credentialDeviceType === 'multiDevice',
      backedUp: found.credentialBackedUp,
    };
  } catch {
    return null;
  }
}

/** WebAuthn Level 3 7.2 without what a database must decide: whose credential it is, and its count. `null` for what any step refuses. */
export async function verifyAssertion(
  party: RelyingParty,
  response: AssertionResponse,
  { isChallenge, userVerification, publicKey }: Expectation & { publicKey: Uint8Array },
): Promise<Assertion | null> {
  const { clientDataJSON, authenticatorData, signature } = response.response;
  try {
    if (isFramed(clientDataJSON)) return null;
    const { verified, authenticationInfo: found } = await verifyAuthenticationResponse({
      response: {
        ...response,
        response: { clientDataJSON, authenticatorData, signature },
        clientExtensionResults: {},
      },
      expectedChallenge: isChallenge,
      expectedOrigin: [...party.origins],
      expectedRPID: party.id,
      requireUserVerification: userVerification === 'required',
      // The library compares counts before it checks the signature: anybody could then raise the alarm
      // about a passkey that is not theirs. Zero never fails, and the database compares.
      credential: { id: response.id, publicKey: new Uint8Array(publicKey), counter: 0 },
    });
    if (!verified) return null;
    return {
      userVerified: found.userVerified,
      signCount: BigInt(found.newCounter),
      backupEligible: found.credentialDeviceType === 'multiDevice',
      backedUp: found.credentialBackedUp,
    };
  } catch {
    return null;
  }
}

const ClientData = v.object({
  crossOrigin: v.optional(v.literal(false)),
  topOrigin: v.optional(v.undefined()),
});

// No page of ours asks for a passkey inside of a foreign one (WebAuthn Level 3 13.4.2); the library lets it pass.
function isFramed(clientDataJSON: string): boolean {
  const text = Buffer.from(clientDataJSON, 'base64url').toString();
  return !v.is(ClientData, JSON.parse(text));
}

// We ask for no attestation, and browsers take it out but where a key signed for itself (WebAuthn Level 3
// 5.1.3). The library would check certificates all the same, and ask for their revocation over the network.
function isUnattested(attestationObject: string): boolean {
  const decoded = decodeAttestationObject(
    new Uint8Array(Buffer.from(attestationObject, 'base64url')),
  );
  const format = decoded.get('fmt');
  return (
    format === 'none' || (format === 'packed' && decoded.get('attStmt').get('x5c') === undefined)
  );
}
