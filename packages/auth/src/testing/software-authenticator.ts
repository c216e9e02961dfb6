import {
  createHash,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign as signBytes,
} from 'node:crypto';
import { type CborValue, encodeCbor } from './cbor.ts';

/** What a ceremony says; every field can be made to lie. */
export interface CeremonyClaims {
  origin: string;
  rpId: string;
  /** `webauthn.create` or `webauthn.get`. */
  type: string;
  challenge: string;
  crossOrigin: boolean;
  userPresent: boolean;
  userVerified: boolean;
  backupEligible: boolean;
  backedUp: boolean;
  signCount: number;
  /** In base64url; `null` leaves it out. */
  userHandle: string | null;
  /** Whether a new credential is discoverable; `null` does not say. */
  discoverable: boolean | null;
}

export interface SoftwareAuthenticatorOptions extends Partial<
  Pick<CeremonyClaims, 'userVerified' | 'backupEligible' | 'backedUp' | 'discoverable'>
> {
  /** Of the page that it works for. */
  origin: string;
  rpId: string;
  /** @default 'ES256' */
  algorithm?: 'ES256' | 'EdDSA';
  /** Whether it counts its signatures; passkeys that are synchronised do not. @default true */
  counts?: boolean;
}

export interface SoftwareCredential {
  /** base64url */
  readonly id: string;
  readonly userHandle: string;
  readonly privateKey: KeyObject;
  /** Of the last signature. */
  signCount: number;
}

// The parts of the options that browsers look at.
interface CreationOptions {
  readonly challenge: string;
  readonly user: { readonly id: string };
  readonly excludeCredentials?: readonly { readonly id: string }[];
}
interface RequestOptions {
  readonly challenge: string;
  readonly allowCredentials?: readonly { readonly id: string }[];
}

/** A browser and an authenticator in one, for tests: answers the options of both ceremonies as `toJSON()` of a real one would. */
export interface SoftwareAuthenticator {
  readonly credentials: readonly SoftwareCredential[];
  /** Makes a credential. @throws {TypeError} when it holds one of `excludeCredentials`. */
  create(
    options: CreationOptions,
    claims?: Partial<CeremonyClaims>,
  ): ReturnType<typeof registrationJson>;
  /** Signs with the newest credential that is allowed. @throws {TypeError} when it holds none. */
  get(options: RequestOptions, claims?: Partial<CeremonyClaims>): ReturnType<typeof assertionJson>;
}

export function softwareAuthenticator({
  origin,
  rpId,
  algorithm = 'ES256',
  counts = true,
  userVerified = true,
  backupEligible = false,
  backedUp = false,
  discoverable = true,
}: SoftwareAuthenticatorOptions): SoftwareAuthenticator {
  const credentials: SoftwareCredential[] = [];
  const usual = { origin, rpId, userVerified, backupEligible, backedUp, discoverable };
  const honest = { ...usual, crossOrigin: false, userPresent: true };
  return {
    credentials,
    create(options, claims = {}) {
      const held = (id: string) => credentials.some((each) => each.id === id);
      if (options.excludeCredentials?.some(({ id }) => held(id)))
        throw new TypeError('the authenticator has a credential for this account');
      const { privateKey, publicKey } = makeKeys(algorithm);
      const id = randomBytes(32);
      const userHandle = options.user.id;
      const said: CeremonyClaims = {
        ...honest,
        type: 'webauthn.create',
        challenge: options.challenge,
        signCount: 0,
        userHandle,
        ...claims,
      };
      const { signCount } = said;
      credentials.push({ id: id.toString('base64url'), userHandle, privateKey, signCount });
      return registrationJson(said, id, coseKey(publicKey));
    },
    get(options, claims = {}) {
      const allowed = options.allowCredentials ?? [];
      const credential = credentials.findLast(
        ({ id }) => allowed.length === 0 || allowed.some((each) => each.id === id),
      );
      if (credential === undefined) throw new TypeError('the authenticator has no such credential');
      const said: CeremonyClaims = {
        ...honest,
        type: 'webauthn.get',
        challenge: options.challenge,
        signCount: counts ? credential.signCount + 1 : 0,
        userHandle: credential.userHandle,
        ...claims,
      };
      credential.signCount = said.signCount;
      return assertionJson(said, credential);
    },
  };
}

const emptyAaguid = Buffer.alloc(16);

function registrationJson(said: CeremonyClaims, id: Buffer, publicKey: Buffer) {
  const idLength = Buffer.alloc(2);
  idLength.writeUInt16BE(id.length);
  const attested = Buffer.concat([emptyAaguid, idLength, id, publicKey]);
  const attestation = new Map<string, CborValue>([
    ['fmt', 'none'],
    ['attStmt', new Map()],
    ['authData', authenticatorData(said, attested)],
  ]);
  return {
    ...envelope(id.toString('base64url')),
    clientExtensionResults:
      said.discoverable === null ? {} : { credProps: { rk: said.discoverable } },
    response: {
      clientDataJSON: clientData(said).toString('base64url'),
      attestationObject: encodeCbor(attestation).toString('base64url'),
      transports: ['internal'],
    },
  };
}

function assertionJson(said: CeremonyClaims, { id, privateKey }: SoftwareCredential) {
  const data = authenticatorData(said);
  const client = clientData(said);
  const signed = Buffer.concat([data, sha256(client)]);
  const digest = privateKey.asymmetricKeyType === 'ec' ? 'sha256' : null;
  return {
    ...envelope(id),
    response: {
      clientDataJSON: client.toString('base64url'),
      authenticatorData: data.toString('base64url'),
      signature: signBytes(digest, signed, privateKey).toString('base64url'),
      ...(said.userHandle !== null && { userHandle: said.userHandle }),
    },
  };
}

const envelope = (id: string) => ({
  id,
  rawId: id,
  type: 'public-key' as const,
  authenticatorAttachment: 'platform' as const,
  clientExtensionResults: {},
});

const clientData = ({ type, challenge, origin, crossOrigin }: CeremonyClaims) =>
  Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin }));

// WebAuthn Level 3 6.1: hash of the domain, flags, count, and at registration the credential.
function authenticatorData(said: CeremonyClaims, attested?: Buffer): Buffer {
  const flags =
    (said.userPresent ? 0x01 : 0) |
    (said.userVerified ? 0x04 : 0) |
    (said.backupEligible ? 0x08 : 0) |
    (said.backedUp ? 0x10 : 0) |
    (attested === undefined ? 0 : 0x40);
  const head = Buffer.alloc(5);
  head.writeUInt8(flags);
  head.writeUInt32BE(said.signCount, 1);
  return Buffer.concat([sha256(said.rpId), head, attested ?? Buffer.alloc(0)]);
}

const sha256 = (value: string | Uint8Array) => createHash('sha256').update(value).digest();

const makeKeys = (algorithm: 'ES256' | 'EdDSA') =>
  algorithm === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('ed25519');

// RFC 9053 2.1, 2.2 and 7: kty, alg, crv, x and y.
function coseKey(key: KeyObject): Buffer {
  const { x = '', y } = key.export({ format: 'jwk' });
  const [kty, alg, crv] = y === undefined ? [1, -8, 6] : [2, -7, 1];
  const entries: [number, CborValue][] = [
    [1, kty],
    [3, alg],
    [-1, crv],
    [-2, Buffer.from(x, 'base64url')],
  ];
  if (y !== undefined) entries.push([-3, Buffer.from(y, 'base64url')]);
  return encodeCbor(new Map(entries));
}
