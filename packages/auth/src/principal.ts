import type { Actor } from './acts.ts';
import type { Authorization } from './authorization.ts';
import { AccessDenied } from './failures.ts';
import type { Session } from './sessions.ts';
import type { UserRow } from './tables.ts';
import { toUser, type User } from './users.ts';

/** Who makes a request, and what they may do. */
export interface Principal {
  readonly userId: string;
  readonly user: User;
  /** The roles in force. */
  readonly roles: readonly string[];
  /** Roles that the user has, but that bring nothing before a second factor was shown in this session. */
  readonly withheldRoles: readonly string[];
  /** The one tenant in which they may work: of the API key, or whose user it is; `null` where they are held to none. */
  readonly tenantId: string | null;
  /** What the roles in force bring, and of an API key no more than its scopes. */
  readonly permissions: ReadonlySet<string>;
  /** `null` for an API key. */
  readonly session: Session | null;
  /** `null` for a session. */
  readonly apiKey: ApiKeyInUse | null;
}

/** The key that a request is made with. */
export interface ApiKeyInUse {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  /** The level of the session that made it. */
  readonly level: 1 | 2;
  /** The one tenant in which it works; `null` for wherever its owner does. */
  readonly tenantId: string | null;
}

/**
 * The session that a principal came in. An API key has none: what takes a session is not for programs, and who steals a
 * key must not outlive it.
 *
 * @throws {AccessDenied}
 */
export function sessionOf({ session }: Principal): Session {
  if (session === null) throw new AccessDenied();
  return session;
}

/** Who acts, for an audit log: the user in a session, or an API key with whose it is. */
export function actorOf({ userId, apiKey }: Pick<Principal, 'userId' | 'apiKey'>): Actor {
  return apiKey === null
    ? { type: 'user', id: userId }
    : { type: 'api_key', id: apiKey.id, userId };
}

/** By what a principal is known. */
export type Evidence = { readonly session: Session } | { readonly apiKey: ApiKeyInUse };

/** What is known of the user, and by what. */
export type PrincipalOf = (row: PrincipalRow, by: Evidence) => Principal;

type PrincipalRow = Parameters<typeof toUser>[0] & Pick<UserRow, 'roles'>;

/** Makes principals: the one place where roles, second factors and scopes become permissions. */
export function createPrincipals({
  authorization,
  mfaRoles,
}: {
  authorization: Authorization;
  mfaRoles: readonly string[];
}): PrincipalOf {
  const needsMfa = new Set(mfaRoles);
  return (row, by) => {
    const key = 'apiKey' in by ? by.apiKey : null;
    const session = 'session' in by ? by.session : null;
    const level = key?.level ?? session?.level ?? 1;
    const all = ['user', ...row.roles.filter((role) => role !== 'user')];
    const roles = all.filter((role) => level === 2 || !needsMfa.has(role));
    const granted = authorization.permissionsOf(roles);
    return {
      userId: row.id,
      tenantId: key?.tenantId ?? row.tenant_id,
      user: toUser(row),
      roles,
      withheldRoles: all.filter((role) => !roles.includes(role)),
      permissions:
        key === null ? granted : new Set(key.scopes.filter((scope) => granted.has(scope))),
      session,
      apiKey: key,
    };
  };
}
