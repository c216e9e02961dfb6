import { type Cipher, constantTimeEqual, type RandomBytes, randomToken } from '@svc/core';
import type { Db } from '@svc/db';
import { type RefreshFamilyRow, tablesOf } from '../tables.ts';
import {
  accessTokenOf,
  refreshSecretOf,
  type RefreshTokenParts,
  refreshTokenOf,
} from './refresh-tokens.ts';

/** The two tokens of one generation. */
export interface RefreshPair {
  readonly token: string;
  readonly refreshToken: string;
}

/** The tokens of one session, each derived from the family's key. */
export interface RefreshFamily {
  readonly row: RefreshFamilyRow;
  /** The newest pair, as often as it is asked for. */
  readonly pair: RefreshPair;
  /** Whether a token was handed out by this family; one that was made up to name its session was not. */
  hasIssued(parts: RefreshTokenParts): boolean;
  /** Makes the next pair the newest. The caller holds the session's row. */
  advance(trx: Db, by: 'refresh' | 'renewal', now: Date): Promise<RefreshPair>;
}

/** One family for each session that is kept by a refresh token; it ends with its session. */
export interface RefreshFamilies {
  /** A new family, to be stored once its session is. */
  begin(sessionId: string): { pair: RefreshPair; store(trx: Db, now: Date): Promise<void> };
  find(trx: Db, sessionId: string): Promise<RefreshFamily | null>;
  /** Deletes those whose sessions have ended and answers how many. */
  purge(db: Db, now: Date): Promise<number>;
}

export function createRefreshFamilies(options: {
  cipher: () => Cipher;
  random: RandomBytes;
}): RefreshFamilies {
  const { cipher, random } = options;
  return {
    begin(sessionId) {
      const key = randomToken(32, random);
      return {
        pair: pairOf(key, sessionId, 1),
        async store(trx, now) {
          await tablesOf(trx)
            .insertInto('svc_auth.refresh_families')
            .values({
              session_id: sessionId,
              key_sealed: cipher().seal(key, sealContext(sessionId)),
              generation: 1,
              rotated_at: now,
              rotated_by: 'sign_in',
            })
            .execute();
        },
      };
    },
    async find(trx, sessionId) {
      const row = await tablesOf(trx)
        .selectFrom('svc_auth.refresh_families')
        .selectAll()
        .where('session_id', '=', sessionId)
        .executeTakeFirst();
      return row === undefined ? null : toFamily(row, cipher());
    },
    async purge(db, now) {
      const result = await tablesOf(db)
        .deleteFrom('svc_auth.refresh_families as f')
        .using('svc_auth.sessions as s')
        .whereRef('s.id', '=', 'f.session_id')
        .where((eb) =>
          eb.or([
            eb('s.revoked_at', 'is not', null),
            eb('s.idle_expires_at', '<=', now),
            eb('s.absolute_expires_at', '<=', now),
          ]),
        )
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

function toFamily(row: RefreshFamilyRow, cipher: Cipher): RefreshFamily {
  const { session_id: sessionId, generation } = row;
  const key = cipher.open(row.key_sealed, sealContext(sessionId));
  return {
    row,
    pair: pairOf(key, sessionId, generation),
    hasIssued: (parts) =>
      constantTimeEqual(refreshSecretOf(key, sessionId, parts.generation), parts.secret),
    async advance(trx, by, now) {
      const next = generation + 1;
      await tablesOf(trx)
        .updateTable('svc_auth.refresh_families')
        .set({
          generation: next,
          rotated_at: now,
          rotated_by: by,
          ...(cipher.isOutdated(row.key_sealed) && {
            key_sealed: cipher.seal(key, sealContext(sessionId)),
          }),
        })
        .where('session_id', '=', sessionId)
        .execute();
      return pairOf(key, sessionId, next);
    },
  };
}

const pairOf = (key: string, sessionId: string, generation: number): RefreshPair => ({
  token: accessTokenOf(key, sessionId, generation),
  refreshToken: refreshTokenOf(key, sessionId, generation),
});

const sealContext = (sessionId: string) => `refresh:${sessionId}`;
