import type { Context } from 'hono';
import type { Origin } from '../origin.ts';
import { readDeviceCookie } from './device-cookie.ts';

/** How a client keeps its session. */
export type Transport = 'cookie' | 'bearer' | 'refresh';

/** Where `atTenant` keeps what the app said. */
export const tenantVariable = 'authTenantId';

/** Where a request came from, for the flows. With `bearer` or `refresh`, a sign-in makes no device cookie. */
export function originOf(c: Context, transport: Transport = 'cookie'): Origin {
  return {
    address: c.get('clientAddress') as string | undefined,
    device: c.req.header('User-Agent'),
    requestId: c.get('requestId') as string | undefined,
    tenantId: c.get(tenantVariable) as string | null | undefined,
    deviceToken: readDeviceCookie(c) ?? (transport === 'cookie' ? null : undefined),
  };
}
