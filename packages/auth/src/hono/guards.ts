import { documentMiddleware } from '@svc/http/hono';
import type { MiddlewareHandler } from 'hono';
import { recordAlone } from '../acts.ts';
import type { Auth } from '../auth.ts';
import { AccessDenied, InsufficientAuthentication } from '../failures.ts';
import { actorOf, type Principal } from '../principal.ts';
import { originOf } from './origin.ts';
import { type AuthEnv, insufficient } from './require-user.ts';

/**
 * Lets pass who holds the permission; stands behind `requireUser`. A denial is audited.
 *
 * @throws {AccessDenied}
 * @throws {InsufficientAuthentication} when a second factor would bring it.
 */
export function requirePermission<Permission extends string>(
  auth: Auth<Permission>,
  permission: NoInfer<Permission>,
): MiddlewareHandler<AuthEnv> {
  const { authorization } = auth;
  if (!authorization.isPermission(permission))
    throw new TypeError(`there is no permission '${permission}'`);
  return guard(
    auth as unknown as Auth,
    { permission },
    {
      holds: (principal) => principal.permissions.has(permission),
      wouldHold: (principal) =>
        authorization.permissionsOf(principal.withheldRoles).has(permission),
    },
  );
}

/** Lets pass who has the role; an API key has none, whatever its owner has. Stands behind `requireUser`. @throws {AccessDenied} @throws {InsufficientAuthentication} */
export function requireRole<Role extends string>(
  auth: Auth<string, Role>,
  role: NoInfer<Role>,
): MiddlewareHandler<AuthEnv> {
  if (!auth.authorization.isRole(role)) throw new TypeError(`there is no role '${role}'`);
  return guard(
    auth as unknown as Auth,
    { role },
    {
      holds: (principal) => principal.apiKey === null && principal.roles.includes(role),
      wouldHold: (principal) => principal.apiKey === null && principal.withheldRoles.includes(role),
    },
  );
}

/** Lets pass whom the predicate does; `rule` names it in the audit log. Stands behind `requireUser`. @throws {AccessDenied} */
export function requireAbac(
  auth: Auth,
  rule: string,
  predicate: (principal: Principal, request: Request) => boolean | Promise<boolean>,
): MiddlewareHandler<AuthEnv> {
  return guard(auth, { rule }, { holds: predicate, wouldHold: () => false });
}

interface Decision {
  holds(principal: Principal, request: Request): boolean | Promise<boolean>;
  wouldHold(principal: Principal): boolean;
}

function guard(
  auth: Auth,
  what: Readonly<Record<string, string>>,
  { holds, wouldHold }: Decision,
): MiddlewareHandler<AuthEnv> {
  const middleware: MiddlewareHandler<AuthEnv> = async (c, next) => {
    const principal = c.get('principal');
    if ((await holds(principal, c.req.raw)) === true) return next();
    // The path as it was declared: what a client wrote may hold anything.
    const details = { ...what, route: c.req.routePath, method: c.req.method };
    const act = {
      type: 'auth.access.denied',
      outcome: 'denied',
      userId: principal.userId,
      tenantId: principal.tenantId,
      actor: actorOf(principal),
    } as const;
    await recordAlone(auth['~context'], { ...act, details }, { origin: originOf(c) });
    if (wouldHold(principal)) throw insufficient(c, { level: 2 });
    throw new AccessDenied();
  };
  return documentMiddleware(middleware, { failures: [AccessDenied, InsufficientAuthentication] });
}
