import { isFailure } from '@svc/core';
import { transact, type Trx } from '@svc/db';
import { checkpointText } from './checkpoint.ts';
import type { AuditContext } from './context.ts';
import { bodyOf, type SealedEvent, serviceChain, toTenantId } from './entry.ts';
import { sealed } from './events.ts';
import { joinFrontier, splitFrontier } from './frontier.ts';
import { createMerkleTree, hashLeaf } from './merkle.ts';
import {
  chainsToSeal,
  ensureChains,
  insertEntries,
  insertPersonal,
  lockChains,
  type NewHead,
  type SealedRow,
  takePending,
  updateHeads,
} from './queries.ts';
import { register } from './registry.ts';
import { type ChainRow, type PendingRow, tablesOf } from './tables.ts';

const chainsAtOnce = 50;
const entriesOfChain = 1000;
// Clocks of two machines differ a little, which is no rollback; more than this is written down as it is.
const clockSkewMs = 60_000;

/**
 * Seals what is committed and waits, in rounds, until nothing does; gives how many entries that made. Chains that
 * another process is sealing at this moment are waited for, or left to it.
 */
export async function seal(context: AuditContext, whenLocked: 'wait' | 'skip'): Promise<number> {
  const startedMs = context.clock.elapsedMs();
  const faults = new Map<string, unknown>();
  const touched = new Set<string>();
  let total = 0;
  for (let more = true; more;) {
    more = false;
    const chains = (await chainsToSeal(context.db)).filter((chain) => !faults.has(chain));
    for (let at = 0; at < chains.length; at += chainsAtOnce) {
      const some = chains.slice(at, at + chainsAtOnce);
      const count = await sealSome(context, some, whenLocked, faults);
      for (const chain of some) touched.add(chain);
      total += count;
      if (count > 0) more = true;
    }
  }
  if (total > 0) {
    const durationMs = context.clock.elapsedMs() - startedMs;
    sealed.publish(context.name, { entries: total, chains: touched.size, durationMs });
  }
  for (const fault of faults.values()) throw fault;
  return total;
}

/** Seals for those who read next. A chain that cannot be sealed is logged; reading it will show what is wrong. */
export async function sealToRead(context: AuditContext): Promise<void> {
  try {
    await seal(context, 'wait');
  } catch (error) {
    if (isFailure(error)) throw error;
  }
}

// A chain that somebody damaged must not keep the others from being sealed: then each goes by itself.
async function sealSome(
  context: AuditContext,
  chains: readonly string[],
  whenLocked: 'wait' | 'skip',
  faults: Map<string, unknown>,
): Promise<number> {
  try {
    await ensureChains(context.db, chains);
    return await sealTogether(context, chains, whenLocked);
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
  for (const chain of chains) count += await sealSome(context, [chain], whenLocked, faults);
  return count;
}

function sealTogether(
  context: AuditContext,
  chains: readonly string[],
  whenLocked: 'wait' | 'skip',
): Promise<number> {
  return transact(
    context.db,
    async (trx) => {
      const heads = await lockChains(trx, chains, whenLocked);
      const waiting = await takePending(
        trx,
        heads.map((head) => head.tenant_id),
        entriesOfChain,
      );
      if (waiting.length === 0) return 0;
      const byChain = Map.groupBy(waiting, (row) => row.tenant_id);
      const results = heads.flatMap((head) => {
        const rows = byChain.get(head.tenant_id);
        return rows === undefined ? [] : [sealChain(context, head, rows)];
      });
      await insertEntries(
        trx,
        results.flatMap((result) => result.entries),
      );
      await insertPersonal(trx, waiting);
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
  { clock, origin, signer, checkpointEveryMs }: AuditContext,
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
  const isCheckpoint = sealedAt - since >= checkpointEveryMs || sealedAt < since;
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
