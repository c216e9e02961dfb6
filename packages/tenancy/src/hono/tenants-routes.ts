import { ValidationFailed } from '@svc/core';
import { expectedVersions, PreconditionFailed, toEtag } from '@svc/http';
import { type HttpEnv, operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import {
  DeletionBegun,
  MemberNotFound,
  RoleRequired,
  TenantNotFound,
  TenantSuspended,
} from '../failures.ts';
import { tenantNeeded } from '../resolution.ts';
import {
  NameTenantSchema,
  RemovalBody,
  TenantBody,
  TenantList,
  TenantParam,
  TransferSchema,
} from '../schemas.ts';
import type { Tenancy } from '../tenancy.ts';
import { noStore, toTenantBody, toTenantBodyOf } from './answers.ts';
import { originOf } from './principal.ts';
import { staleAsPrecondition } from './stale-as-precondition.ts';
import type { TenantRoutesOptions } from './routes.ts';

const tags = ['Tenants'];

/** Tenants: making, listing, naming, selecting, handing over, deleting and bringing back. */
export function tenantsRoutes(
  { tenants, select }: Tenancy,
  { principal, guard, sensitive = guard, selecting = guard }: TenantRoutesOptions,
) {
  const refusals = [TenantNotFound, TenantSuspended, RoleRequired];
  return new Hono<HttpEnv>()
    .post(
      '/',
      operation({
        id: 'createTenant',
        summary: 'Make a tenant, of which you are the owner',
        tags,
        responses: { 201: { description: 'The tenant.', schema: TenantBody } },
        failures: [ValidationFailed],
      }),
      guard,
      validated('json', NameTenantSchema),
      async (c) => {
        const who = principal(c);
        const options = { ownerId: who.userId, origin: originOf(c, who) };
        const tenant = await tenants.create(c.req.valid('json'), options);
        c.header('ETag', toEtag(tenant.version));
        return c.json(toTenantBody(tenant), 201);
      },
    )
    .get(
      '/',
      operation({
        id: 'listTenants',
        summary: 'List the tenants of which you are a member',
        tags,
        responses: { 200: { description: 'The tenants, by name.', schema: TenantList } },
      }),
      guard,
      noStore,
      async (c) => {
        const items = await tenants.listOf(principal(c).userId);
        return c.json({ items: items.map(toTenantBody) }, 200);
      },
    )
    .get(
      '/:id',
      operation({
        id: 'getTenant',
        summary: 'Read a tenant',
        tags,
        responses: { 200: { description: 'The tenant.', schema: TenantBody } },
        failures: [ValidationFailed, TenantNotFound],
      }),
      guard,
      noStore,
      validated('param', TenantParam),
      async (c) => {
        const tenant = await tenants.get(c.req.valid('param').id, { by: principal(c).userId });
        c.header('ETag', toEtag(tenant.version));
        return c.json(toTenantBody(tenant), 200);
      },
    )
    .patch(
      '/:id',
      operation({
        id: 'renameTenant',
        summary: 'Rename a tenant',
        description: 'For admins and owners. With `If-Match`, of that version alone.',
        tags,
        responses: { 200: { description: 'The tenant.', schema: TenantBody } },
        failures: [ValidationFailed, PreconditionFailed, ...refusals],
      }),
      guard,
      validated('param', TenantParam),
      validated('json', NameTenantSchema),
      async (c) => {
        const who = principal(c);
        const ifMatch = c.req.header('If-Match');
        const versions = expectedVersions({ ifMatch });
        const options = { by: who.userId, origin: originOf(c, who), versions };
        const tenant = await tenants
          .rename(c.req.valid('param').id, c.req.valid('json'), options)
          .catch(staleAsPrecondition(ifMatch));
        c.header('ETag', toEtag(tenant.version));
        return c.json(toTenantBody(tenant), 200);
      },
    )
    .delete(
      '/:id',
      operation({
        id: 'deleteTenant',
        summary: 'Delete a tenant',
        description:
          'For owners. From now on it exists for nobody. Its data is deleted once it is due; until then an owner can bring it back.',
        tags,
        responses: { 202: { description: 'When it is due.', schema: RemovalBody } },
        failures: [ValidationFailed, ...refusals],
      }),
      sensitive,
      validated('param', TenantParam),
      async (c) => {
        const who = principal(c);
        const options = { by: who.userId, origin: originOf(c, who) };
        const { dueAt } = await tenants.remove(c.req.valid('param').id, options);
        return c.json({ dueAt: dueAt.toISOString() }, 202);
      },
    )
    .post(
      '/:id/restore',
      operation({
        id: 'restoreTenant',
        summary: 'Bring a tenant back that is to be deleted',
        description: 'For owners, before it is due: it is as it was.',
        tags,
        responses: { 204: { description: 'It is not deleted.' } },
        failures: [ValidationFailed, DeletionBegun, ...refusals],
      }),
      sensitive,
      validated('param', TenantParam),
      async (c) => {
        const who = principal(c);
        const options = { by: who.userId, origin: originOf(c, who) };
        await tenants.cancelRemoval(c.req.valid('param').id, options);
        return c.body(null, 204);
      },
    )
    .post(
      '/:id/select',
      operation({
        id: 'selectTenant',
        summary: 'Work in a tenant',
        description: 'Requests of this session, or with this API key, are for it from now on.',
        tags,
        responses: { 200: { description: 'The tenant.', schema: TenantBody } },
        failures: [ValidationFailed, TenantNotFound, TenantSuspended],
      }),
      selecting,
      validated('param', TenantParam),
      async (c) => {
        const who = principal(c);
        const { id } = c.req.valid('param');
        const selector = who.selector ?? null;
        if (selector === null) throw noSelector();
        if (![undefined, null, id].includes(who.tenantId)) throw tenantNeeded();
        const options = { origin: originOf(c, who) };
        const membership = await select(selector, id, who.userId, options);
        return c.json(toTenantBodyOf(membership), 200);
      },
    )
    .post(
      '/:id/transfer',
      operation({
        id: 'transferTenant',
        summary: 'Hand a tenant over',
        description: 'For owners: a member becomes an owner, and you an admin.',
        tags,
        responses: { 204: { description: 'The member is an owner.' } },
        failures: [ValidationFailed, MemberNotFound, ...refusals],
      }),
      sensitive,
      validated('param', TenantParam),
      validated('json', TransferSchema),
      async (c) => {
        const who = principal(c);
        const options = { by: who.userId, origin: originOf(c, who) };
        const { userId } = c.req.valid('json');
        await tenants.transferOwnership(c.req.valid('param').id, userId, options);
        return c.body(null, 204);
      },
    );
}

const noSelector = () =>
  new ValidationFailed([
    {
      pointer: '',
      code: 'no_identity',
      message: 'Only a session or an API key selects a tenant; send X-Tenant-Id instead.',
    },
  ]);
