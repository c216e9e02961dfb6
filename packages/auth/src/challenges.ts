import { type Clock, type NewId, type RandomBytes, randomToken, sha256 } from '@svc/core';
import type { Db, Trx } from '@svc/db';
import { sql } from 'kysely';
import { isTokenShaped } from './one-time-tokens.ts';
import { type ChallengeRow, tablesOf } from './tables.ts';

export type ChallengePurpose =
  | 'second_factor'
  | 'passkey_registration'
  | 'passkey_login'
  | 'passkey_step_up'
  | 'oauth';

/** How long the second half may take: 5 minutes (WebAuthn Level 3 13.4.3 leaves it open; ASVS 5.0 6.5.5 allows 10). */
export const challengeTtlMs = 5 * 60_000;

/** How often one challenge may be answered wrongly. */
const maxFailures = 5;

export interface NewChallenge {
  purpose: ChallengePurpose;
  /** `null` while it is not known who answers. */
  userId: string | null;
  /** In which it is made, and in no other answered; `null` where identities are global. */
  tenantId: string | null;
  /** What the second half needs. Secrets in it are sealed. */
  data: Readonly<Record<string, unknown>>;
}

export interface WantedChallenge {
  purpose: ChallengePurpose;
  token: string;
  /** At whose door it is answered. */
  tenantId: string | null;
}

/** First halves of what takes two requests. Whoever has the token may go on, once. */
export interface Challenges {
  create(db: Db, challenge: NewChallenge): Promise<{ token: string; expiresAt: Date }>;
  /** The challenge, while it may be answered; nothing is used up. */
  find(db: Db, wanted: WantedChallenge): Promise<ChallengeRow | null>;
  /** As `find`, and who looks for the same one waits until the transaction has ended. */
  lock(trx: Trx, wanted: WantedChallenge): Promise<ChallengeRow | null>;
  /** Uses it up; of any number at once, one gets the row and the others `null`. */
  consume(db: Db, wanted: WantedChallenge): Promise<ChallengeRow | null>;
  /** Counts a wrong answer; after five the challenge is dead. */
  countFailure(db: Db, id: string): Promise<void>;
  /** Deletes those that ended a day ago and answers how many. */
  purge(db: Db): Promise<number>;
}

const keepMs = 24 * 60 * 60_000;

export function createChallenges(options: {
  clock: Clock;
  newId: NewId;
  random: RandomBytes;
}): Challenges {
  const { clock, newId, random } = options;
  const alive = (db: Db, { purpose, token, tenantId }: WantedChallenge) =>
    tablesOf(db)
      .selectFrom('svc_auth.challenges')
      .selectAll()
      .where('token_hash', '=', sha256(token))
      .where('purpose', '=', purpose)
      .where('tenant_id', 'is not distinct from', tenantId)
      .where('used_at', 'is', null)
      .where('failures', '<', maxFailures)
      .where('expires_at', '>', clock.now());
  return {
    async create(db, { purpose, userId, tenantId, data }) {
      const token = randomToken(32, random);
      const now = clock.now();
      const expiresAt = new Date(now.getTime() + challengeTtlMs);
      await tablesOf(db)
        .insertInto('svc_auth.challenges')
        .values({
          id: newId(),
          purpose,
          user_id: userId,
          token_hash: sha256(token),
          data: data as ChallengeRow['data'],
          failures: 0,
          created_at: now,
          expires_at: expiresAt,
          used_at: null,
          tenant_id: tenantId,
        })
        .execute();
      return { token, expiresAt };
    },
    async find(db, wanted) {
      if (!isTokenShaped(wanted.token)) return null;
      return (await alive(db, wanted).executeTakeFirst()) ?? null;
    },
    async lock(trx, wanted) {
      if (!isTokenShaped(wanted.token)) return null;
      return (await alive(trx, wanted).forUpdate().executeTakeFirst()) ?? null;
    },
    async consume(db, { purpose, token, tenantId }) {
      if (!isTokenShaped(token)) return null;
      const now = clock.now();
      const row = await tablesOf(db)
        .updateTable('svc_auth.challenges')
        .set({ used_at: now })
        .where('token_hash', '=', sha256(token))
        .where('purpose', '=', purpose)
        .where('tenant_id', 'is not distinct from', tenantId)
        .where('used_at', 'is', null)
        .where('failures', '<', maxFailures)
        .where('expires_at', '>', now)
        .returningAll()
        .executeTakeFirst();
      return row ?? null;
    },
    async countFailure(db, id) {
      await tablesOf(db)
        .updateTable('svc_auth.challenges')
        .set({ failures: sql<number>`failures + 1` })
        .where('id', '=', id)
        .execute();
    },
    async purge(db) {
      const result = await tablesOf(db)
        .deleteFrom('svc_auth.challenges')
        .where('expires_at', '<', new Date(clock.now().getTime() - keepMs))
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
