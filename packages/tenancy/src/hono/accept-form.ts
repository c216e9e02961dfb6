import { type Failure, isFailure, ValidationFailed } from '@svc/core';
import type { Context, MiddlewareHandler } from 'hono';
import type { Tenancy } from '../tenancy.ts';
import { messagePage } from '@svc/http/hono';
import { originOf, type PrincipalOf } from './principal.ts';

const maxFormLength = 16_384;

const isForm = (c: Context) =>
  c.req.header('Content-Type')?.split(';', 1)[0]?.trim().toLowerCase() ===
  'application/x-www-form-urlencoded';

/** People who press the button get a page, also where what follows refuses them. */
export function formRefusals({ appName }: Tenancy): MiddlewareHandler<{}, string, {}> {
  return async (c, next) => {
    await next();
    if (c.error === undefined || !isForm(c) || !isFailure(c.error)) return;
    const { message: text, kind } = c.error as Failure;
    const unknown = kind === 'unauthenticated';
    c.res = await messagePage(c, {
      appName,
      title: unknown ? 'Sign in first' : 'That did not work',
      text: unknown
        ? 'Sign in with the address that the invitation was sent to, then open the link again.'
        : text,
      status: unknown ? 401 : 400,
    });
  };
}

/** Answers a form that was sent without scripts; anything else goes on to the handler of JSON. */
export function acceptForm(
  tenancy: Tenancy,
  principal: PrincipalOf,
): MiddlewareHandler<{}, string, {}> {
  return async (c, next) => {
    if (!isForm(c)) return next();
    const text = await c.req.text();
    const token = new URLSearchParams(text.length > maxFormLength ? '' : text).get('token') ?? '';
    const { tenant } = await acceptInvitation(tenancy, c, { principal, token });
    return messagePage(c, {
      appName: tenancy.appName,
      title: 'Welcome',
      text: `You are a member of ${tenant.name} now.`,
      status: 200,
    });
  };
}

export function acceptInvitation(
  tenancy: Tenancy,
  c: Context,
  { principal, token }: { principal: PrincipalOf; token: string },
) {
  const who = principal(c);
  const { userId, email } = who;
  if (email === undefined) {
    const message = 'Only a person with a confirmed address accepts an invitation.';
    throw new ValidationFailed([{ pointer: '', code: 'no_address', message }]);
  }
  return tenancy.invitations.accept({ token, userId, email }, { origin: originOf(c, who) });
}
