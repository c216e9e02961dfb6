import { isFailure } from '@svc/core';
import { transact, type Trx } from '@svc/db';
import { assertEnd, isUnsigned } from './chain-end.ts';
import { checkpointText } from './checkpoint.ts';
import type { AuditContext } from './context.ts';
import { bodyOf, type SealedEvent, serviceChain, toTenantId } from './entry.ts';
import { sealed, sealingFailed } from './events.ts';
import { joinFrontier, splitFrontier } from './frontier.ts';
import { createMerkleTree, hashLeaf } from './merkle.ts';
import {
  chainsToSeal,
  ensureChains,
  insertEntries,
  insertPersonal,
  limitLocks,
  lockChains,
  type NewHead,
  readPending,
  removePending,
  type SealedRow,
  updateHeads,
  type WhenLocked,
} from './queries.ts';
import { register } from './registry.ts';
import { type ChainRow, type PendingRow, tablesOf } from './tables.ts';
import { longestWaitMs, waitingLonger } from './waiting.ts';

const chainsAtOnce = 50;
const entriesOfChain = 1000;
// How long a lock is waited for, in milliseconds; once that has passed for some chains together, less for each, so that
// many locked ones do not keep the others.
const lockMs: Readonly<Record<WhenLocked, number>> = { wait: 5000, skip: 1000 };
const shortLockMs = 500;
// Clocks of two machines differ a little, which is no rollback; more than this is written down as it is.
const clockSkewMs = 60_000;

/**
 * Seals what is committed and waits, in rounds, until nothing does; gives how many entries that made. Chains that
 * another process is sealing at this moment are waited for, or left to it.
 */
export async function seal(context: AuditContext, whenLocked: WhenLocked): Promise<number> {
  const { total, faults } = await sealAll(context, whenLocked);
  for (const fault of faults.values()) throw fault;
  return total;
}

interface Sealed {
  readonly total: number;
  /** Why, of the chains that cannot be sealed. */
  readonly faults: ReadonlyMap<string, unknown>;
}

async function sealAll(context: AuditContext, whenLocked: WhenLocked): Promise<Sealed> {
  const startedMs = context.clock.elapsedMs();
  const faults = new Map<string, unknown>();
  const touched = new Set<string>();
  let total = 0;
  for (let more = true; more;) {
    more = false;
    const chains = (await chainsToSeal(context.db)).filter((chain) => !faults.has(chain));
    for (let at = 0; at < chains.length; at += chainsAtOnce) {
      const some = chains.slice(at, at + chainsAtOnce);
      const count = await sealSome(
        context,
        some,
        { whenLocked, lockMs: lockMs[whenLocked] },
        faults,
      );
      for (const chain of some) touched.add(chain);
      total += count;
      if (count > 0) more = true;
    }
  }
  if (total > 0) {
    const durationMs = context.clock.elapsedMs() - startedMs;
    sealed.publish(context.name, { entries: total, chains: touched.size, durationMs });
  }
  return { total, faults };
}

/** Seals for those who read next; gives the chains of which something waits that should be sealed by now. */
export async function sealToRead(context: AuditContext): Promise<ReadonlySet<string>> {
  const { faults } = await sealAll(context, 'wait');
  const behind = new Set(faults.keys());
  const late = (await waitingLonger(context.db, longestWaitMs)).filter(
    (each) => !behind.has(each.tenant_id),
  );
  if (late.length > 0) {
    // A transaction that took long may have committed just now: what is of it is sealed at the second attempt.
    for (const chain of (await sealAll(context, 'wait')).faults.keys()) behind.add(chain);
    const ids = new Set(late.map((each) => each.id));
    for (const { tenant_id, id } of await waitingLonger(context.db, longestWaitMs))
      if (ids.has(id)) behind.add(tenant_id);
  }
  if (behind.size > 0) sealingFailed.publish(context.name, { step: 'seal' });
  return behind;
}

interface LockOptions {
  readonly whenLocked: WhenLocked;
  readonly lockMs: number;
}

// A chain that somebody damaged must not keep the others from being sealed: then each goes by itself.
async function sealSome(
  context: AuditContext,
  chains: readonly string[],
  locks: LockOptions,
  faults: Map<string, unknown>,
): Promise<number> {
  try {
    await ensureChains(context.db, chains, locks.lockMs);
    return await sealTogether(context, chains, locks);
  } catch (error) {
    const [chain, ...others] = chains;
    if (isFailure(error) || chain === undefined) throw error;
    if (others.length === 0) {
      faults.set(chain, error);
      context.logger.error({ err: error, chain }, 'a chain of the audit log cannot be sealed');
      return 0;
    }
  }
  let count = 0;
  for (const chain of chains)
    count += await sealSome(context, [chain], { ...locks, lockMs: shortLockMs }, faults);
  return count;
}

function sealTogether(
  context: AuditContext,
  chains: readonly string[],
  { whenLocked, lockMs }: LockOptions,
): Promise<number> {
  return transact(
    context.db,
    async (trx) => {
      await limitLocks(trx, lockMs);
      const heads = await lockChains(trx, chains, whenLocked);
      const waiting = await readPending(
        trx,
        heads.map((head) => head.tenant_id),
        entriesOfChain,
      );
      if (waiting.length === 0) return 0;
      const byChain = Map.groupBy(waiting, (row) => row.tenant_id);
      const results: SealedChain[] = [];
      for (const head of heads) {
        const rows = byChain.get(head.tenant_id);
        if (rows === undefined) continue;
        await assertEnd(context.notes, trx, head);
        results.push(sealChain(context, head, rows));
      }
      await insertEntries(
        trx,
        results.flatMap((result) => result.entries),
      );
      await insertPersonal(trx, await removePending(trx, waiting));
      await updateHeads(
        trx,
        results.map((result) => result.head),
      );
      for (const { head, isCheckpoint } of results)
        if (isCheckpoint) await keepCheckpoint(context, trx, head);
      return waiting.length;
    },
    // What another process sealed while we waited for its lock must be seen afterwards.
    { isolation: 'read committed', logger: context.logger },
  );
}

interface SealedChain {
  readonly head: NewHead;
  readonly entries: readonly SealedRow[];
  readonly isCheckpoint: boolean;
}

function sealChain(
  { clock, origin, signer, notes, checkpointEveryMs }: AuditContext,
  chain: ChainRow,
  waiting: readonly PendingRow[],
): SealedChain {
  const tenantId = toTenantId(chain.tenant_id);
  const at = sealingTime(clock.now(), chain.sealed_at);
  const tree = createMerkleTree({
    size: Number(chain.size),
    nodes: splitFrontier(chain.frontier),
  });
  let { head: previous } = chain;
  const sealedAt = at.getTime();
  const entries = waiting.toSorted(byTime).map((row, index) => {
    const seq = Number(chain.size) + index + 1;
    const body = bodyOf({ at: Number(row.at_ms), previous, sealedAt, seq, tenantId }, row.event);
    previous = hashLeaf(body);
    tree.append(previous);
    return toSealedRow(row, { body, hash: previous, seq });
  });
  const { size, nodes } = tree.frontier();
  const text = checkpointText({
    origin,
    tenantId,
    size,
    root: tree.root(),
    head: previous,
    at,
    isRetention: false,
  });
  const since = chain.checkpoint_at?.getTime() ?? -Infinity;
  // The first that is signed is kept: from then on, an end without a signature is none of ours.
  const isFirstSigned = chain.note !== null && isUnsigned(notes, chain.note);
  const isCheckpoint = isFirstSigned || sealedAt - since >= checkpointEveryMs || sealedAt < since;
  const head = {
    tenant_id: chain.tenant_id,
    size,
    head: previous,
    frontier: joinFrontier(nodes),
    sealed_at: at.toISOString(),
    note: signer === undefined ? text : signer.sign(text),
    checkpoint_at: (isCheckpoint ? at : (chain.checkpoint_at ?? at)).toISOString(),
  };
  return { head, entries, isCheckpoint };
}

/** An entry as it is inserted. */
export function toSealedRow(
  { tenant_id, id, at_ms, event }: PendingRow,
  { body, hash, seq }: { body: string; hash: string; seq: number },
): SealedRow {
  const { type, outcome, actor, target } = JSON.parse(event) as SealedEvent;
  return {
    body,
    hash,
    tenant_id,
    seq,
    id,
    at: new Date(Number(at_ms)).toISOString(),
    type,
    outcome,
    actor_type: actor.type,
    actor_id: actor.id,
    target_type: target?.type ?? null,
    target_id: target?.id ?? null,
  };
}

function sealingTime(now: Date, last: Date | null): Date {
  const isSkew = last !== null && last > now && last.getTime() - now.getTime() <= clockSkewMs;
  return isSkew ? last : now;
}

const byTime = (a: PendingRow, b: PendingRow) =>
  Number(a.at_ms) - Number(b.at_ms) || (a.id < b.id ? -1 : 1);

async function keepCheckpoint(context: AuditContext, trx: Trx, head: NewHead): Promise<void> {
  const { tenant_id, size, note } = head;
  await tablesOf(trx)
    .insertInto('svc_audit.checkpoints')
    .values({ tenant_id, size: BigInt(size), note, created_at: context.clock.now() })
    .execute();
  if (tenant_id !== serviceChain) await register(context, trx, head);
}
