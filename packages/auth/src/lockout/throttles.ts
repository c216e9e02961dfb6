import { type Clock, sha256 } from '@svc/core';
import { afterEnd, type Db, transact, type Trx } from '@svc/db';
import { sql } from 'kysely';
import { tablesOf, type ThrottleRow } from '../tables.ts';
import {
  afterFailure,
  isLocked,
  type ThrottlePolicies,
  type ThrottlePolicy,
} from './throttle-policy.ts';

export type ThrottleKind = 'account' | 'address' | 'pair' | 'device' | 'second_factor';

/** What failures are counted of. */
export interface ThrottleKey {
  readonly kind: ThrottleKind;
  /** Only its hash is stored. */
  readonly value: string;
}

/** A lock that a failure began. */
export interface Lock {
  readonly kind: ThrottleKind;
  readonly until: Date;
  readonly failures: number;
  /** Whether it is the first since the count began, or the one that only a reset ends: worth a mail. */
  readonly isNews: boolean;
}

/** Counts failures and says who has to wait. Counts are rows, so every process has the same. */
export interface Throttles {
  /**
   * Until when any of these keys is locked; `null` where none is. Beyond every calendar (`needsReset`) where no waiting
   * helps. To be asked after the work that takes time and right before judging; whoever is locked is not counted.
   */
  lockedUntil(db: Db, keys: readonly ThrottleKey[]): Promise<Date | null>;
  /**
   * Counts one failure of each key, in a transaction of its own: at once, or with `within` when the caller's is over,
   * committed or not. Of any number at once, none is lost. `alongside` runs in the same transaction.
   */
  countFailure(
    db: Db,
    keys: readonly ThrottleKey[],
    options?: { within?: Trx | undefined },
    alongside?: (trx: Trx, locks: readonly Lock[]) => Promise<void>,
  ): Promise<void>;
  /** Forgets the failures of these keys: after a success. */
  clear(db: Db, keys: readonly ThrottleKey[]): Promise<void>;
  /** Forgets those of the keys that only a reset frees; a wait that is under way stays. */
  liftCaps(db: Db, keys: readonly ThrottleKey[]): Promise<void>;
  /** Deletes counters that nobody needs any more and answers how many. */
  purge(db: Db): Promise<number>;
}

/** What `lockedUntil` answers where only a reset helps: the last date there is. */
const endOfTime = () => new Date(8.64e15);

/** Whether no waiting helps. */
export const needsReset = (until: Date): boolean => until.getTime() === 8.64e15;

interface Counter {
  readonly key: ThrottleKey;
  readonly policy: ThrottlePolicy;
  readonly hash: Uint8Array;
}

export function createThrottles({
  clock,
  policies,
}: {
  clock: Clock;
  policies: ThrottlePolicies;
}): Throttles {
  // In one order, so that two that count the same keys wait for each other and never in a circle.
  const countersOf = (keys: readonly ThrottleKey[]): Counter[] =>
    keys
      .flatMap((key) => {
        const policy = policies[key.kind];
        return policy === undefined
          ? []
          : [{ key, policy, hash: sha256(`${key.kind}:${key.value}`) }];
      })
      .toSorted((a, b) => Buffer.compare(a.hash, b.hash));
  return {
    async lockedUntil(db, keys) {
      const counters = countersOf(keys);
      if (counters.length === 0) return null;
      const rows = await tablesOf(db)
        .selectFrom('svc_auth.throttles')
        .selectAll()
        .where('key', 'in', hashesOf(counters))
        .execute();
      const now = clock.now();
      const ends = counters.flatMap((counter) => {
        const row = rowOf(rows, counter);
        if (row === undefined) return [];
        if (row.consecutive >= counter.policy.cap) return [endOfTime()];
        return isLocked(row, now) ? [row.locked_until as Date] : [];
      });
      return ends.reduce<Date | null>(
        (latest, end) => (latest === null || end > latest ? end : latest),
        null,
      );
    },
    async countFailure(db, keys, { within } = {}, alongside = async () => {}) {
      const counters = countersOf(keys);
      const count = () =>
        transact(db, async (trx) => {
          const locks = counters.length === 0 ? [] : await countIn(trx, counters, clock.now());
          await alongside(trx, locks);
        });
      if (within === undefined) await count();
      else afterEnd(within, count);
    },
    async clear(db, keys) {
      const counters = countersOf(keys);
      if (counters.length > 0) await forget(db, hashesOf(counters), 0);
    },
    async liftCaps(db, keys) {
      for (const { hash, policy } of countersOf(keys)) {
        if (policy.cap !== Infinity) await forget(db, [hash], policy.cap);
      }
    },
    async purge(db) {
      const result = await tablesOf(db)
        .deleteFrom('svc_auth.throttles')
        .where('forget_at', '<', clock.now())
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

const hashesOf = (counters: readonly Counter[]) => counters.map(({ hash }) => hash);

const rowOf = (rows: readonly ThrottleRow[], { hash }: Counter) =>
  rows.find(({ key }) => Buffer.compare(key, hash) === 0);

// The first statement makes and locks the rows: whoever counts the same keys at this moment waits here, and counts on.
async function countIn(trx: Trx, counters: readonly Counter[], now: Date): Promise<Lock[]> {
  const rows = await write(
    trx,
    counters.map(({ hash }) => ({
      key: hash,
      failures: 0,
      consecutive: 0,
      last_failed_at: now,
      locked_until: null,
      forget_at: now,
    })),
    { key: sql<Uint8Array>`excluded.key` },
  );
  const counted = counters.map((counter) => {
    const before = rowOf(rows, counter) as ThrottleRow;
    const { policy, hash } = counter;
    return { ...counter, before, after: { key: hash, ...afterFailure(before, policy, now) } };
  });
  await write(
    trx,
    counted.map(({ after }) => after),
    {
      failures: sql<number>`excluded.failures`,
      consecutive: sql<number>`excluded.consecutive`,
      last_failed_at: sql<Date>`excluded.last_failed_at`,
      locked_until: sql<Date | null>`excluded.locked_until`,
      forget_at: sql<Date>`excluded.forget_at`,
    },
  );
  return counted.flatMap(({ key, policy, before, after }): Lock[] => {
    const meetsCap = after.consecutive === policy.cap;
    const begins = after.locked_until !== null && !isLocked(before, now);
    if (!begins && !meetsCap) return [];
    const until = after.consecutive >= policy.cap ? endOfTime() : (after.locked_until as Date);
    const isNews = meetsCap || (begins && after.failures === policy.free + 1);
    return [{ kind: key.kind, until, failures: after.failures, isNews }];
  });
}

function write(trx: Trx, rows: readonly ThrottleRow[], set: Record<string, unknown>) {
  return tablesOf(trx)
    .insertInto('svc_auth.throttles')
    .values([...rows])
    .onConflict((conflict) => conflict.column('key').doUpdateSet(set))
    .returningAll()
    .execute();
}

// Locked in the order of counting first: a plain delete takes its rows in any order.
async function forget(db: Db, hashes: readonly Uint8Array[], leastInARow: number): Promise<void> {
  await tablesOf(db)
    .deleteFrom('svc_auth.throttles')
    .where('key', 'in', (query) =>
      query
        .selectFrom('svc_auth.throttles')
        .select('key')
        .where('key', 'in', [...hashes])
        .where('consecutive', '>=', leastInARow)
        .orderBy('key')
        .forUpdate(),
    )
    .execute();
}
