import type { AuditContext } from './context.ts';
import { toChain } from './entry.ts';
import { assertTenantId } from './event.ts';
import { verified } from './events.ts';
import { type LogScope, logLines } from './log-lines.ts';
import { checkpointed, endIn } from './registry.ts';
import { sealToRead } from './seal.ts';
import { tablesOf } from './tables.ts';
import { type AuditVerification, type RememberedEnd, verifyAuditLog } from './verify-audit-log.ts';

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
  const isEvery = tenantId === 'every';
  const result = await verifyAuditLog(
    logLines(context.db, tenantId, () => sealToRead(context)),
    {
      publicKeys: context.publicKeys,
      checkpoints,
      ...(isEvery
        ? { everyChain: true }
        : { tenantId, ends: await rememberedEnd(context, tenantId) }),
    },
  );
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
