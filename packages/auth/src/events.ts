import { defineEvent } from '@svc/core';
import type { AuthActType } from './acts.ts';

/** Something happened to an account: every act of the package, after it was committed. */
export const acted = defineEvent<{
  readonly type: AuthActType;
  readonly outcome: 'success' | 'failure' | 'denied';
  /** `null` where nobody has the address. */
  readonly userId: string | null;
  /** In which tenant, where that is known. */
  readonly tenantId?: string;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}>('svc.auth.acted');
