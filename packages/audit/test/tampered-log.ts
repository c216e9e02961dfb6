import type { Trx } from '@svc/db';
import type { TestDatabase } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { hashLeaf, verifyAuditLog } from '../src/index.ts';
import { bodyOf, type EntryBody, genesisOf, linkOf, toChain } from '../src/entry.ts';
import { toSealedRow } from '../src/seal.ts';
import { fill, key, kindsOf, openAudit, someTenant, textOf } from './open-audit.ts';

/** Changes the tables as their owner, who can switch every guard off: what they do then must show. */
export function tamper(
  database: TestDatabase,
  change: (trx: Trx) => Promise<unknown>,
): Promise<void> {
  return database.asOwner(async (trx) => {
    const guarded = ['entries', 'pending', 'personal'].map((name) =>
      sql.table(`svc_audit.${name}`),
    );
    for (const table of guarded) await sql`alter table ${table} disable trigger user`.execute(trx);
    await sql`alter table svc_audit.entries drop constraint if exists entries_target`.execute(trx);
    await change(trx);
    for (const table of guarded) await sql`alter table ${table} enable trigger user`.execute(trx);
  });
}

/** A log of ten entries for a tenant, and what verifying finds, from the database and offline. */
export async function openLog(db: TestDatabase['db']) {
  const { audit, clock } = openAudit(db);
  const tenantId = someTenant();
  await fill(audit, null, 1);
  await fill(audit, tenantId, 10);
  return {
    audit,
    clock,
    tenantId,
    async found() {
      const result = await audit.verify({ tenantId });
      const text = await textOf(audit.export({ format: 'ndjson', tenantId }));
      const offline = await verifyAuditLog([text], { publicKeys: [key.publicKey], tenantId });
      const inLines = result.problems.filter(({ kind }) => kind !== 'end_changed');
      expect(offline.problems).toEqual(inLines);
      expect(result.valid).toBe(result.problems.length === 0);
      return kindsOf(result);
    },
    /** The bodies, by sequence number. */
    async bodies() {
      const rows = await db
        .selectFrom('svc_audit.entries')
        .select(['seq', 'body'])
        .where('tenant_id', '=', tenantId)
        .orderBy('seq')
        .execute();
      return new Map(rows.map((row) => [Number(row.seq), row.body as string]));
    },
  };
}

/** The row of a body, its columns filed right. */
export function rowOf(body: string, hash: string) {
  const { chain, event } = JSON.parse(body) as EntryBody;
  const row = {
    tenant_id: toChain(chain.tenantId),
    id: event.id,
    at_ms: chain.at,
    event: JSON.stringify(event),
    personal: null,
  };
  return toSealedRow(row, { body, hash, seq: chain.seq });
}

export const setBody = (trx: Trx, tenantId: string, seq: number, body: string, hash?: string) =>
  trx
    .updateTable('svc_audit.entries')
    .set(hash === undefined ? { body, type: rowOf(body, '').type } : rowOf(body, hash))
    .where('tenant_id', '=', tenantId)
    .where('seq', '=', seq)
    .execute();

/** Writes the chain anew from `seq` on, each entry changed by `change`, with hashes that fit. */
export async function rewrite(
  trx: Trx,
  tenantId: string,
  bodies: ReadonlyMap<number, string>,
  change: (body: string, seq: number) => string,
): Promise<string> {
  let previous = genesisOf(tenantId);
  for (const [seq, body] of bodies) {
    const link = linkOf(body);
    if (link === undefined) throw new Error('no link');
    const event = change(body, seq).slice(bodyOf(link, '').length - 1, -1);
    const changed = bodyOf({ ...link, ...linkOf(change(body, seq)), previous }, event);
    previous = hashLeaf(changed);
    await setBody(trx, tenantId, seq, changed, previous);
  }
  return previous;
}
