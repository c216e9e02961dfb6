import { endFault, purgedFault } from './chain-end.ts';
import type { AuditProblem } from './chain-check.ts';
import type { AuditContext } from './context.ts';
import { toChain, toTenantId } from './entry.ts';
import { assertTenantId } from './event.ts';
import { verified } from './events.ts';
import { type LogScope, logLines } from './log-lines.ts';
import { checkpointed, endIn } from './registry.ts';
import { sealToRead } from './seal.ts';
import { type ChainRow, tablesOf } from './tables.ts';
import {
  type AuditVerification,
  maxProblems,
  type RememberedEnd,
  verifyLines,
} from './verify-audit-log.ts';

export interface AuditVerify {
  /** @default 'every' */
  readonly tenantId?: LogScope;
  /** Checkpoints that were kept elsewhere. @default none */
  readonly checkpoints?: readonly string[];
}

/** Seals what waits, then reads and checks everything. @throws {PurgedMeanwhile} */
export async function verify(
  context: AuditContext,
  { tenantId = 'every', checkpoints = [] }: AuditVerify,
): Promise<AuditVerification> {
  if (tenantId !== 'every') assertTenantId(tenantId);
  const stored = createStoredCheck(tenantId);
  const scope =
    tenantId === 'every'
      ? { everyChain: true }
      : { tenantId, ends: await rememberedEnd(context, tenantId) };
  const seal = async () => stored.onBehind(await sealToRead(context));
  const found = await verifyLines(logLines(context.db, tenantId, { seal, ...stored }), {
    publicKeys: context.publicKeys,
    checkpoints,
    isExcused: stored.isExcused,
    ...scope,
  });
  const result: AuditVerification = {
    ...found,
    valid: found.valid && stored.problems.length === 0,
    problems: [...found.problems, ...stored.problems].slice(0, maxProblems),
  };
  const { valid, entries, problems } = result;
  verified.publish(context.name, { valid, entries, problems: problems.length });
  if (!valid) context.logger.error({ problems }, 'the audit log does not verify');
  return result;
}

/** What only the database shows: columns beside what is hashed, what waits, what is erased at this moment. */
function createStoredCheck(scope: LogScope) {
  const problems: AuditProblem[] = [];
  const erased = new Set<string>();
  const problem = (kind: AuditProblem['kind'], chain: string, message: string, seq?: number) => {
    if (problems.length < maxProblems)
      problems.push({ kind, tenantId: toTenantId(chain), seq: seq ?? null, message });
  };
  return {
    problems,
    isExcused: (id: string) => erased.has(id),
    onBehind(chains: ReadonlySet<string>) {
      for (const chain of chains)
        if (scope === 'every' || chain === toChain(scope))
          problem('unsealed', chain, 'events wait that could not be sealed');
    },
    onChain(row: ChainRow) {
      const fault = endFault(row);
      if (fault !== undefined) problem('end_changed', row.tenant_id, `of its end: ${fault}`);
      const purged = purgedFault(row);
      if (purged !== undefined)
        problem('end_changed', row.tenant_id, `of where it begins: ${purged}`);
    },
    onErased(ids: readonly string[]) {
      for (const id of ids) erased.add(id);
    },
    onMisfiled(chain: string, seqs: readonly number[]) {
      for (const seq of seqs)
        problem('misfiled', chain, 'the columns that are searched do not say what it says', seq);
    },
  };
}

// Of a chain that is gone, the service's own chain may be the only one that tells.
async function rememberedEnd(
  { db }: AuditContext,
  tenantId: string | null,
): Promise<Map<string, RememberedEnd>> {
  if (tenantId === null) return new Map();
  const row = await tablesOf(db)
    .selectFrom('svc_audit.entries')
    .select('body')
    .where('tenant_id', '=', toChain(null))
    .where('type', '=', checkpointed)
    .where('target_id', '=', tenantId.toLowerCase())
    .orderBy('seq', 'desc')
    .executeTakeFirst();
  const end = row === undefined ? undefined : endIn(row.body);
  return new Map(end === undefined ? [] : [[end.tenantId, end]]);
}
