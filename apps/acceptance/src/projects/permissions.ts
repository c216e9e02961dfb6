import { AccessDenied, type Actor as AuditedActor, actorOf, type Principal } from '@svc/auth';
import { afterEnd, type Trx } from '@svc/db';
import { authorization } from '../authorization.ts';

/** Who acts: a principal, or the system for a reason that is named. */
export type Actor = { readonly principal: Who } | { readonly system: string };

type Who = Pick<Principal, 'userId' | 'apiKey' | 'permissions'>;

export type ProjectAction = 'list' | 'read' | 'create' | 'change' | 'delete';

/** An entry about access to projects, for the audit log. */
export interface ProjectAccess {
  readonly type: 'projects.access_denied' | 'projects.system_access';
  readonly outcome: 'success' | 'denied';
  readonly actor: AuditedActor;
  /** `userId` is whose API key acted. */
  readonly details: { readonly action: string; readonly userId?: string };
}

// A project belongs to a person, so the system has nobody to create one for.
const systemMay: ReadonlySet<ProjectAction> = new Set(['list', 'read', 'delete']);

/**
 * Whether the actor may do this, to this project where one is at hand; which rows exist for them is the
 * repository's part. What the system does is audited, and so is what is denied.
 */
export function createAccess(audit: (entry: ProjectAccess) => Promise<void>) {
  const denied = async (
    actor: ProjectAccess['actor'],
    action: ProjectAction,
    within: Trx | undefined,
  ) => {
    const details = { action, ...(actor.userId !== undefined && { userId: actor.userId }) };
    const entry = { type: 'projects.access_denied', outcome: 'denied', actor, details } as const;
    // A refusal rolls the caller's transaction back; that it was refused stays.
    if (within === undefined) await audit(entry);
    else afterEnd(within, () => audit(entry));
    return new AccessDenied();
  };
  /** @throws {AccessDenied} */
  return async (
    actor: Actor,
    action: ProjectAction,
    about: { project?: { readonly ownerId: string }; within?: Trx | undefined } = {},
  ): Promise<void> => {
    const { project, within } = about;
    if ('system' in actor) {
      const system = { type: 'system', id: null, reason: actor.system } as const;
      if (!systemMay.has(action)) throw await denied(system, action, within);
      const entry = { type: 'projects.system_access', outcome: 'success', actor: system } as const;
      return audit({ ...entry, details: { action } });
    }
    const { principal } = actor;
    if (!authorization.can(principal, `project.${action}`, project))
      throw await denied(actorOf(principal), action, within);
  };
}
