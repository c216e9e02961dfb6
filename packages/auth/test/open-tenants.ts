import { uuidv7 } from '@svc/core';
import type { Db } from '@svc/db';
import type { AuthAuditEvent, AuthOptions, Origin } from '../src/index.ts';
import { signedIn } from '../src/testing.ts';
import { openAuth, password } from './open-auth.ts';

/** Where the people of a tenant reach the app. */
export const urlOf = (tenantId: string) => `https://t${tenantId.slice(-12)}.example.com`;

/** Sign-in where identities belong to tenants, and two tenants. */
export function openTenants(db: Db, options: Partial<AuthOptions> = {}) {
  const audited: AuthAuditEvent[] = [];
  const opened = openAuth(db, {
    identities: 'per_tenant',
    tenantUrl: urlOf,
    audit: async (event) => void audited.push(event),
    ...options,
  });
  const { auth, outbox } = opened;
  /** At the door of a tenant. */
  const at = (tenantId: string, origin: Origin = {}) => ({ origin: { ...origin, tenantId } });
  const member = async (email: string, tenantId: string, secret = password) => {
    await auth.register({ email, password: secret, name: 'Ada' }, at(tenantId));
    const token = await outbox.nextToken('verify', email);
    return auth.verify({ token }, at(tenantId));
  };
  const login = async (email: string, tenantId: string, secret = password) =>
    signedIn(await auth.login({ email, password: secret }, at(tenantId)));
  return {
    ...opened,
    audited,
    at,
    a: uuidv7(),
    b: uuidv7(),
    /** A verified user of a tenant. */
    member,
    login,
    async principal(email: string, tenantId: string, secret = password) {
      const { token } = await login(email, tenantId, secret);
      const found = await auth.authenticate(token, { tenantId });
      if (found === null) throw new Error('signed in, and not known');
      return { principal: found, token };
    },
  };
}
