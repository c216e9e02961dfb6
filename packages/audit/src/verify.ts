import type { AuditProblem } from './chain-check.ts';
import type { AuditContext } from './context.ts';
import { toChain, toTenantId } from './entry.ts';
import { assertTenantId } from './event.ts';
import { verified } from './events.ts';
import { type LogScope, logLines } from './log-lines.ts';
import { checkpointed, endIn } from './registry.ts';
import { sealToRead } from './seal.ts';
import { tablesOf } from './tables.ts';
import {
  type AuditVerification,
  maxProblems,
  type RememberedEnd,
  verifyAuditLog,
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
  const misfiled: AuditProblem[] = [];
  const onMisfiled = (chain: string, seqs: readonly number[]) => {
    const message = 'the columns that are searched do not say what it says';
    for (const seq of seqs.slice(0, maxProblems - misfiled.length))
      misfiled.push({ kind: 'misfiled', tenantId: toTenantId(chain), seq, message });
  };
  const scope =
    tenantId === 'every'
      ? { everyChain: true }
      : { tenantId, ends: await rememberedEnd(context, tenantId) };
  const found = await verifyAuditLog(
    logLines(context.db, tenantId, { seal: () => sealToRead(context), onMisfiled }),
    { publicKeys: context.publicKeys, checkpoints, ...scope },
  );
  const result: AuditVerification = {
    ...found,
    valid: found.valid && misfiled.length === 0,
    problems: [...found.problems, ...misfiled].slice(0, maxProblems),
  };
  const { valid, entries, problems } = result;
  verified.publish(context.name, { valid, entries, problems: problems.length });
  if (!valid) context.logger.error({ problems }, 'the audit log does not verify');
  return result;
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
