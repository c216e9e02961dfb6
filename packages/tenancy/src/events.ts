import { defineEvent } from '@svc/core';
import type { Actor, TenancyActType } from './acts.ts';

/** A tenant asked for more than its plan allows. */
export const quotaExceeded = defineEvent<{ tenantId: string; quota: string }>(
  'svc.tenancy.quota_exceeded',
);

/** Something happened to a tenant: every act on tenants, members and invitations, after it was committed. */
export const acted = defineEvent<{
  readonly type: TenancyActType;
  readonly outcome: 'success' | 'denied';
  readonly tenantId: string;
  readonly actor: Actor;
  readonly target: { readonly type: string; readonly id: string };
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}>('svc.tenancy.acted');
