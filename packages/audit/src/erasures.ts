import { isUuid } from '@svc/core';
import type { Db } from '@svc/db';
import { sql } from 'kysely';
import type { AuditProblemKind } from './chain-check.ts';
import { commitmentOf, type Disclosure } from './commitments.ts';
import type { EntryBody, SealedEvent } from './entry.ts';

/** The type of the event that names the entries whose personal values were erased. */
export const erased = 'audit.personal.erased';

/** How many entries one such event names: their ids are one text, which is cut at 2000 characters. */
export const namedAtOnce = 50;

/** The ids in the detail `entries`. */
export const joinNames = (ids: readonly string[]): string => ids.join(' ');

/** The entries that an event names as erased, if it is such a one. */
export function erasedIn({ type, details }: Pick<SealedEvent, 'type' | 'details'>): string[] {
  const names = type === erased ? details['entries'] : undefined;
  return typeof names === 'string' ? names.split(' ').filter(isUuid) : [];
}

/** What was erased of a chain after its entry `after`, sealed or not: a reader may find the values gone already. */
export async function erasedAfter(db: Db, chain: string, after: number): Promise<string[]> {
  // One statement, so that none is missed that is sealed meanwhile.
  const { rows } = await sql<{ text: string }>`
    select '{"event":' || event || '}' as text from svc_audit.pending
    where tenant_id = ${chain} and strpos(event, ${erased}) > 0
    union all
    select body from svc_audit.entries where tenant_id = ${chain} and seq > ${after} and type = ${erased}`.execute(
    db,
  );
  return rows.flatMap(({ text }) => {
    try {
      return erasedIn((JSON.parse(text) as EntryBody).event);
    } catch {
      return [];
    }
  });
}

/** Follows the personal values of a chain. */
export interface PersonalCheck {
  entry(
    body: string,
    personal: Readonly<Record<string, Disclosure>> | undefined,
    seq: number,
  ): void;
  finish(): void;
  /** In how many entries some are missing. */
  readonly erased: number;
}

export interface PersonalCheckOptions {
  problem(kind: AuditProblemKind, message: string, at: number): void;
  /** Entries of which it is known from elsewhere that they were erased. */
  isExcused(id: string): boolean;
}

export function createPersonalCheck({ problem, isExcused }: PersonalCheckOptions): PersonalCheck {
  // Either may come first: an event that was erased while it waited can be sealed after what tells of it.
  const unnamed = new Map<string, number>();
  const named = new Set<string>();
  let count = 0;
  return {
    get erased() {
      return count;
    },
    entry(body, personal, seq) {
      const tells = body.includes(`"type":"${erased}"`);
      if (!tells && personal === undefined && !body.includes('"personal":{"')) return;
      const { event } = JSON.parse(body) as EntryBody;
      for (const id of erasedIn(event)) if (!unnamed.delete(id)) named.add(id);
      if (!isSame(event.personal, personal ?? {}))
        problem('personal_changed', 'a personal value is not the one that was recorded', seq);
      if (Object.keys(event.personal).every((name) => name in (personal ?? {}))) return;
      count += 1;
      if (!named.has(event.id)) unnamed.set(event.id, seq);
    },
    finish() {
      for (const [id, seq] of unnamed) {
        if (!isExcused(id))
          problem('erased_unrecorded', 'its personal values are gone, and no entry says why', seq);
      }
    },
  };
}

function isSame(
  commitments: Readonly<Record<string, string>>,
  personal: Readonly<Record<string, Disclosure>>,
): boolean {
  return Object.entries(personal).every(([name, disclosure]) => {
    const isShown = typeof disclosure?.salt === 'string' && typeof disclosure.value === 'string';
    return isShown && commitmentOf(name, disclosure) === commitments[name];
  });
}
