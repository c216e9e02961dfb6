import {
  checkedBody,
  checksumLength,
  idFromBase62,
  idLength,
  idToBase62,
  secretLength,
  secretToBase62,
  withChecksum,
} from '../checked-token.ts';

/** The parts of a key as it is handed out: `prefix_id_secret`, the secret with a checksum at its end. */
export interface KeyParts {
  readonly id: string;
  /** 256 bits in base 62. */
  readonly secret: string;
}

/** Writes a key. */
export function formatKey(prefix: string, id: string, secretBytes: Uint8Array): string {
  return withChecksum(`${prefix}_${idToBase62(id)}_${secretToBase62(secretBytes)}`);
}

/** The parts of a key, or `null` where the form or the checksum does not fit. */
export function parseKey(prefix: string, key: string): KeyParts | null {
  const length = prefix.length + idLength + secretLength + checksumLength + 2;
  if (key.length !== length || !key.startsWith(`${prefix}_`)) return null;
  const body = checkedBody(key)?.slice(prefix.length + 1);
  if (body === undefined || !/^[0-9A-Za-z]{22}_[0-9A-Za-z]{43}$/.test(body)) return null;
  const [idPart, secret] = body.split('_') as [string, string];
  const id = idFromBase62(idPart);
  return id === null ? null : { id, secret };
}
