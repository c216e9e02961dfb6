import { canonicalJson, sha256 } from '@svc/core';

/**
 * What was deleted of a tenant, and when. It speaks of the tables of the list: copies that name no tenant, such as answers
 * that `@svc/idempotency` keeps for their time to live, end by themselves later.
 */
export interface DeletionReceipt {
  readonly id: string;
  readonly tenantId: string;
  readonly requestedAt: string;
  readonly startedAt: string;
  /** When members, invitations and selections were gone, and the app's `revoke` was done. */
  readonly revokedAt: string;
  readonly completedAt: string;
  /** How many rows were deleted, by table. In each of them none was left. */
  readonly rows: Readonly<Record<string, number>>;
  /** SHA-256 of the rest, as `receiptDigest` computes it; it stands in the audit log too. */
  readonly sha256: string;
}

/** The SHA-256 that a receipt must have: of its other members as canonical JSON (RFC 8785). */
export function receiptDigest(receipt: Omit<DeletionReceipt, 'sha256'>): string {
  const { id, tenantId, requestedAt, startedAt, revokedAt, completedAt, rows } = receipt;
  const told = { id, tenantId, requestedAt, startedAt, revokedAt, completedAt, rows };
  return Buffer.from(sha256(canonicalJson(told))).toString('hex');
}
