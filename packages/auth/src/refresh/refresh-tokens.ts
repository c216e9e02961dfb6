import { createHmac } from 'node:crypto';
import {
  checkedBody,
  checksumLength,
  fromBase62,
  idFromBase62,
  idLength,
  idToBase62,
  secretLength,
  secretToBase62,
  toBase62,
  withChecksum,
} from '../checked-token.ts';

/** What a refresh token says of itself; the secret shows whether that is true. */
export interface RefreshTokenParts {
  readonly sessionId: string;
  /** How many tokens of the family came before it, and one. */
  readonly generation: number;
  readonly secret: string;
}

const prefix = 'rt_';
const generationLength = 6;
const tokenLength =
  prefix.length + idLength + generationLength + secretLength + checksumLength + '__'.length;

/**
 * The refresh token of a generation: `rt_<session>_<generation>_<secret>`. It is derived, so that it can be answered
 * again without being kept, and so that a former one is told from one that was made up.
 */
export function refreshTokenOf(key: string, sessionId: string, generation: number): string {
  const secret = refreshSecretOf(key, sessionId, generation);
  const counted = toBase62(BigInt(generation), generationLength);
  return withChecksum(`${prefix}${idToBase62(sessionId)}_${counted}_${secret}`);
}

export const refreshSecretOf = (key: string, sessionId: string, generation: number): string =>
  secretToBase62(derive(key, `refresh ${sessionId} ${generation}`));

/** The session's token while this generation is the newest; it looks like that of any other session. */
export const accessTokenOf = (key: string, sessionId: string, generation: number): string =>
  derive(key, `access ${sessionId} ${generation}`).toString('base64url');

/** The parts of a refresh token, or `null` where the form or the checksum does not fit. */
export function parseRefreshToken(token: string): RefreshTokenParts | null {
  if (token.length !== tokenLength || !token.startsWith(prefix)) return null;
  const body = checkedBody(token)?.slice(prefix.length);
  if (body === undefined || !/^[0-9A-Za-z]{22}_[0-9A-Za-z]{6}_[0-9A-Za-z]{43}$/.test(body))
    return null;
  const [id, counted, secret] = body.split('_') as [string, string, string];
  const sessionId = idFromBase62(id);
  return sessionId === null ? null : { sessionId, generation: Number(fromBase62(counted)), secret };
}

// One key per family, and apart by what is derived: neither token tells the other, nor that of another generation.
const derive = (key: string, what: string): Buffer =>
  createHmac('sha256', Buffer.from(key, 'base64url')).update(what).digest();
