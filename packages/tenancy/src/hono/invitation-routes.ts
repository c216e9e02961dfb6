import { ValidationFailed } from '@svc/core';
import { htmlPage, type HttpEnv, operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import {
  InvalidInvitation,
  InvitationForAnother,
  InvitationNotFound,
  RoleRequired,
  TenantNotFound,
  TenantSuspended,
  TooManyInvitations,
} from '../failures.ts';
import {
  AcceptSchema,
  InvitationBody,
  InvitationList,
  InvitationParam,
  InviteSchema,
  TenantBody,
  TenantParam,
} from '../schemas.ts';
import type { Tenancy } from '../tenancy.ts';
import { acceptForm, acceptInvitation, formRefusals } from './accept-form.ts';
import { noStore, toInvitationBody, toTenantBodyOf } from './answers.ts';
import { forOwners } from './for-owners.ts';
import { invitationPage } from './pages.ts';
import { originOf } from './principal.ts';
import type { TenantRoutesOptions } from './routes.ts';

const tags = ['Invitations'];

/** Invitations to a tenant, and accepting one. */
export function invitationRoutes(
  tenancy: Tenancy,
  { principal, guard, sensitive = guard }: TenantRoutesOptions,
) {
  const { invitations, appName } = tenancy;
  const refusals = [TenantNotFound, TenantSuspended, RoleRequired];
  return new Hono<HttpEnv>()
    .post(
      '/tenants/:id/invitations',
      operation({
        id: 'inviteMember',
        summary: 'Invite somebody to a tenant',
        description:
          'For admins and owners, at most to their own role. Mails a link that works once, for 7 days unless the app says otherwise; a former one stops working. Inviting an owner is confirmed like handing over.',
        tags,
        responses: { 201: { description: 'The invitation.', schema: InvitationBody } },
        failures: [ValidationFailed, TooManyInvitations, ...refusals],
      }),
      guard,
      validated('param', TenantParam),
      validated('json', InviteSchema),
      forOwners(sensitive),
      async (c) => {
        const who = principal(c);
        const options = { by: who.userId, origin: originOf(c, who) };
        const { id } = c.req.valid('param');
        const invitation = await invitations.create(id, c.req.valid('json'), options);
        return c.json(toInvitationBody(invitation), 201);
      },
    )
    .get(
      '/tenants/:id/invitations',
      operation({
        id: 'listInvitations',
        summary: 'List the open invitations to a tenant, newest first',
        description: 'For admins and owners.',
        tags,
        responses: { 200: { description: 'The invitations.', schema: InvitationList } },
        failures: [ValidationFailed, ...refusals],
      }),
      guard,
      noStore,
      validated('param', TenantParam),
      async (c) => {
        const who = principal(c);
        const options = { by: who.userId, origin: originOf(c, who) };
        const items = await invitations.list(c.req.valid('param').id, options);
        return c.json({ items: items.map(toInvitationBody) }, 200);
      },
    )
    .delete(
      '/tenants/:id/invitations/:invitationId',
      operation({
        id: 'revokeInvitation',
        summary: 'Revoke an invitation',
        description: 'For admins and owners.',
        tags,
        responses: { 204: { description: 'Its link does not work any more.' } },
        failures: [ValidationFailed, InvitationNotFound, ...refusals],
      }),
      guard,
      validated('param', InvitationParam),
      async (c) => {
        const who = principal(c);
        const options = { by: who.userId, origin: originOf(c, who) };
        const { id, invitationId } = c.req.valid('param');
        await invitations.revoke(id, invitationId, options);
        return c.body(null, 204);
      },
    )
    .get(
      '/invitations/accept',
      operation({
        id: 'invitationPage',
        summary: 'The page that the link of an invitation opens',
        description: 'Has a button that posts the token. Opening it uses nothing up.',
        tags,
        security: 'none',
        responses: { 200: htmlPage, 400: htmlPage },
      }),
      async (c) => {
        const token = c.req.query('token') ?? '';
        const invitation = await invitations.preview(token);
        return invitationPage(c, { appName, token, invitation });
      },
    )
    .post(
      '/invitations/accept',
      operation({
        id: 'acceptInvitation',
        summary: 'Accept an invitation',
        description: 'For the person whose address it was sent to.',
        tags,
        responses: { 200: { description: 'The tenant.', schema: TenantBody } },
        failures: [ValidationFailed, InvalidInvitation, InvitationForAnother, TenantSuspended],
      }),
      formRefusals(tenancy),
      guard,
      acceptForm(tenancy, principal),
      validated('json', AcceptSchema),
      async (c) => {
        const { token } = c.req.valid('json');
        const membership = await acceptInvitation(tenancy, c, { principal, token });
        return c.json(toTenantBodyOf(membership), 200);
      },
    );
}
