import { isUuid } from '@svc/core';
import type { AuthContext } from './context.ts';
import { type EmailAddress, parseEmail } from './email.ts';
import { TenantRequired } from './failures.ts';
import type { Origin } from './origin.ts';

/** Whose an identity is: everybody's who comes to the service, or only one tenant's, in which it is another user. */
export type IdentityScope = 'global' | 'per_tenant';

/** An address where it stands for one account. */
export interface ScopedEmail extends EmailAddress {
  /** `null` where identities are global. */
  readonly tenantId: string | null;
}

type Scoped = Pick<AuthContext, 'identities'>;

/** The tenant in which a request looks for its user; `null` where identities are global. @throws {TenantRequired} */
export const demandTenant = (context: Scoped, { tenantId }: Origin = {}): string | null =>
  parseTenant(context, tenantId);

/** The same of a tenant that is named otherwise. @throws {TenantRequired} */
export function parseTenant(
  { identities }: Scoped,
  tenantId: string | null | undefined,
): string | null {
  if (identities === 'global') return null;
  // What a host or a header says may be anything.
  if (typeof tenantId !== 'string' || !isUuid(tenantId)) throw new TenantRequired();
  return tenantId.toLowerCase();
}

/** An address in its scope, in which `normalized` names one account. @throws {ValidationFailed} when it is none. */
export function scopedEmail(value: string, tenantId: string | null): ScopedEmail {
  const { address, normalized } = parseEmail(value);
  return { address, normalized: scoped(normalized, tenantId), tenantId };
}

/** An issuer in its scope: of one provider's account, each tenant makes a user of its own. */
export const scopedIssuer = (issuer: string, tenantId: string | null): string =>
  scoped(issuer, tenantId);

/** The issuer as it calls itself. */
export const plainIssuer = (issuer: string): string => issuer.slice(issuer.indexOf(' ') + 1);

// Neither an address nor an issuer has a space, so no name of one scope is one of another.
const scoped = (name: string, tenantId: string | null): string =>
  tenantId === null ? name : `${tenantId} ${name}`;
