import { type Db, transact } from '@svc/db';
import { sql } from 'kysely';
import { append } from './append.ts';
import { endFault, isUnsigned, purgedFault } from './chain-end.ts';
import { checkpointText, parseCheckpoint } from './checkpoint.ts';
import type { AuditContext } from './context.ts';
import { genesisOf, linkOf, serviceChain, toTenantId } from './entry.ts';
import { assertTenantId } from './event.ts';
import { AppendOnly, AuditBroken } from './failures.ts';
import { joinFrontier, splitFrontier } from './frontier.ts';
import { chainsOf, type LogScope } from './log-lines.ts';
import { createMerkleTree, hashLeaf } from './merkle.ts';
import { lockChains } from './queries.ts';
import { register } from './registry.ts';
import { type ChainRow, tablesOf } from './tables.ts';

export interface AuditPurge {
  /** What was sealed before this moment goes. */
  readonly before: Date;
  /** @default 'every' */
  readonly tenantId?: LogScope;
  /** A connection as the owner of the tables: the app's role may not remove entries. @default the log's */
  readonly db?: Db;
}

const entriesAtOnce = 5000;

/**
 * Removes old entries behind a signed checkpoint from which the rest still verifies; gives how many. They are
 * verified before they go.
 *
 * @throws {AuditBroken} @throws {AppendOnly}
 */
export async function purge(context: AuditContext, options: AuditPurge): Promise<number> {
  const { before, tenantId = 'every', db = context.db } = options;
  if (tenantId !== 'every') assertTenantId(tenantId);
  let total = 0;
  for (const chain of await chainsOf(db, tenantId)) {
    for (let count = -1; count !== 0; total += count) {
      try {
        count = await purgeSome(context, db, chain, before);
      } catch (error) {
        if ((error as { code?: unknown }).code === '42501')
          throw new AppendOnly({}, { cause: error });
        throw error;
      }
    }
  }
  return total;
}

async function purgeSome(
  context: AuditContext,
  db: Db,
  chain: string,
  before: Date,
): Promise<number> {
  const row = await tablesOf(db)
    .selectFrom('svc_audit.chains')
    .selectAll()
    .where('tenant_id', '=', chain)
    .executeTakeFirst();
  if (row === undefined) return 0;
  // Sealed entries do not change, so they are read without holding up the sealer.
  const { purged_note: note } = row;
  if (purgedFault(row) !== undefined || (note !== null && isUnsigned(context.notes, note)))
    throw new AuditBroken();
  const cut = await findCut(db, row, before);
  const count = cut.size - Number(row.purged_size);
  if (count > 0) await cutOff(context, db, row, cut);
  return count;
}

interface Cut {
  readonly size: number;
  readonly head: string;
  readonly root: string;
  readonly nodes: readonly string[];
}

async function findCut(db: Db, row: ChainRow, before: Date): Promise<Cut> {
  const tree = createMerkleTree({
    size: Number(row.purged_size),
    nodes: splitFrontier(row.purged_frontier ?? ''),
  });
  let head =
    row.purged_note === null
      ? genesisOf(toTenantId(row.tenant_id))
      : (parseCheckpoint(row.purged_note)?.head ?? '');
  let seq = Number(row.purged_size);
  const entries = await tablesOf(db)
    .selectFrom('svc_audit.entries')
    .select(['body', 'hash'])
    .where('tenant_id', '=', row.tenant_id)
    .orderBy('seq')
    .limit(entriesAtOnce)
    .execute();
  for (const { body, hash } of entries) {
    const link = linkOf(body);
    const isSound =
      link?.seq === seq + 1 && link.previous === head && hashLeaf(body) === hash && seq < row.size;
    if (!isSound) throw new AuditBroken();
    if (link.sealedAt >= before.getTime()) break;
    tree.append(hash);
    [head, seq] = [hash, link.seq];
  }
  return { size: seq, head, root: tree.root(), nodes: tree.frontier().nodes };
}

function cutOff(context: AuditContext, db: Db, row: ChainRow, cut: Cut): Promise<void> {
  const { origin, signer, clock } = context;
  const chain = row.tenant_id;
  const tenantId = toTenantId(chain);
  const text = checkpointText({ ...cut, origin, tenantId, at: clock.now(), isRetention: true });
  return transact(db, async (trx) => {
    const [locked] = await lockChains(trx, [chain], 'wait');
    // Another process was here first, and removed the same.
    if (locked?.purged_size !== row.purged_size) return;
    await sql`select set_config('svc_audit.purging', 'on', true)`.execute(trx);
    await sql`
      with gone as (delete from svc_audit.entries where tenant_id = ${chain} and seq <= ${cut.size} returning id)
      delete from svc_audit.personal p using gone where p.entry_id = gone.id`.execute(trx);
    await sql`select set_config('svc_audit.purging', 'off', true)`.execute(trx);
    await tablesOf(trx)
      .deleteFrom('svc_audit.checkpoints')
      .where('tenant_id', '=', chain)
      .where('size', '<', BigInt(cut.size))
      .execute();
    await tablesOf(trx)
      .updateTable('svc_audit.chains')
      .set({
        purged_size: BigInt(cut.size),
        purged_frontier: joinFrontier(cut.nodes),
        purged_note: signer === undefined ? text : signer.sign(text),
      })
      .where('tenant_id', '=', chain)
      .execute();
    await append(context, trx, {
      type: 'audit.entries.purged',
      actor: { type: 'system', id: null },
      tenantId,
      details: { upTo: cut.size, entries: cut.size - Number(row.purged_size) },
    });
    if (chain === serviceChain) await rememberAgain(context, trx);
  });
}

// What the service's own chain knew of the others may have been among the removed.
async function rememberAgain(context: AuditContext, trx: Parameters<typeof register>[1]) {
  const chains = await tablesOf(trx)
    .selectFrom('svc_audit.chains')
    .selectAll()
    .where('tenant_id', '!=', serviceChain)
    .execute();
  for (const row of chains) {
    const { tenant_id, size, head, note } = row;
    const isSound =
      endFault(row) === undefined && note !== null && !isUnsigned(context.notes, note);
    if (isSound) await register(context, trx, { tenant_id, size: Number(size), head });
  }
}
