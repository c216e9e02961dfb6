import type { Context } from 'hono';
import type { Origin } from '../context.ts';
import type { Selector } from '../resolution.ts';

/** Who makes a request, as far as tenants care. */
export interface TenantPrincipal {
  readonly userId: string;
  /** Their verified address, to which an invitation is bound. @default they accept none */
  readonly email?: string | undefined;
  /** The session or API key of the request, which has a tenant of its own. @default none */
  readonly selector?: Selector | null | undefined;
  /** The one tenant in which they may work, such as that of an API key; a request for another is refused. @default none */
  readonly tenantId?: string | null | undefined;
}

/** Who that is; of `@svc/auth`, behind `requireUser`: what `c.get('principal')` tells. */
export type PrincipalOf = (c: Context) => TenantPrincipal;

/** Where a request came from, for the audit log. */
export function originOf(c: Context, { selector }: Partial<TenantPrincipal> = {}): Origin {
  return {
    address: c.get('clientAddress') as string | undefined,
    device: c.req.header('User-Agent')?.slice(0, 200),
    requestId: c.get('requestId') as string | undefined,
    apiKeyId: selector?.kind === 'api_key' ? selector.id : undefined,
  };
}
