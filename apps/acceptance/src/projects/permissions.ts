import { AccessDenied, type Actor, actorOf, type Principal } from '@svc/auth';
import { afterEnd, type Trx } from '@svc/db';
import { authorization, type ProjectOfTenant } from '../authorization.ts';

/** A person, or a key of theirs, in a tenant of which they are a member. */
export interface Member {
  readonly principal: Pick<Principal, 'userId' | 'apiKey' | 'permissions'>;
  readonly tenant: { readonly id: string; readonly role: string };
}

export type ProjectAction = 'list' | 'read' | 'create' | 'change' | 'delete' | 'export';

/** An entry about access to projects, for the audit log. */
export interface ProjectAccess {
  readonly type: 'projects.access_denied' | 'projects.system_access';
  readonly outcome: 'success' | 'denied';
  readonly tenantId: string | null;
  readonly actor: Actor;
  /** `userId` is whose API key acted. */
  readonly details: { readonly action: string; readonly userId?: string };
}

/**
 * Whether the member may do this, to this project where one is at hand; which rows exist for them is the part of the
 * transaction's scope. What is denied is audited.
 */
export function createAccess(audit: (entry: ProjectAccess) => Promise<void>) {
  /** @throws {AccessDenied} */
  return (
    trx: Trx,
    { principal, tenant }: Member,
    action: ProjectAction,
    project?: ProjectOfTenant['project'],
  ): void => {
    const about = project === undefined ? undefined : { project, tenant };
    if (authorization.can(principal, `project.${action}`, about)) return;
    const actor = actorOf(principal);
    const details = { action, ...(actor.userId !== undefined && { userId: actor.userId }) };
    const denied = { type: 'projects.access_denied', outcome: 'denied' } as const;
    // A refusal rolls the transaction back; that it was refused stays.
    afterEnd(trx, () => audit({ ...denied, tenantId: tenant.id, actor, details }));
    throw new AccessDenied();
  };
}
