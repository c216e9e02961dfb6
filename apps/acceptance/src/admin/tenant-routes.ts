import type { Auth } from '@svc/auth';
import {
  type AuthEnv,
  originOf,
  type PagesOptions,
  requirePermission,
  requireUser,
} from '@svc/auth/hono';
import { type Cursors, InvalidCursor, toPage, ValidationFailed } from '@svc/core';
import { type Db, transact } from '@svc/db';
import { operation, validated } from '@svc/http/hono';
import {
  DeletionBegun,
  type DeletionProgress,
  type ManagedTenant,
  type Tenancy,
  TenantNotFound,
} from '@svc/tenancy';
import { Hono } from 'hono';
import type { Permission, Role } from '../authorization.ts';
import type { Plan, Plans } from '../plans/plans.ts';
import { positionOf } from '../position.ts';
import type { TenantDeletions } from '../tenants/deletion.ts';
import {
  ChangeTenant,
  DeletionBody,
  ListTenants,
  TenantBody,
  TenantId,
  TenantPage,
} from './schemas.ts';

const tags = ['Administration'];

interface TenantRoutesNeeds {
  tenancy: Tenancy;
  tenantDeletions: Pick<TenantDeletions, 'find'>;
  plans: Plans;
  auth: Auth<Permission, Role>;
  cursors: Cursors;
  /** One that knows the tables of tenants. */
  db: Db;
}

/** `/admin/tenants`: the tenants of the app, for staff. */
export function staffTenantRoutes(
  { tenancy, tenantDeletions, plans, auth, cursors, db }: TenantRoutesNeeds,
  pages: PagesOptions,
) {
  const confirmed = requireUser(auth, { ...pages, level: 2, maxAge: '15m' });
  const find = async (id: string) => {
    const tenant = await tenancy.tenants.find(id);
    if (tenant === null) throw new TenantNotFound();
    return tenant;
  };
  // Nothing of a tenant that is being deleted can be read.
  const planOf = async ({ id, deletionRequestedAt }: ManagedTenant) =>
    deletionRequestedAt === null ? plans.of(id) : null;
  return new Hono<AuthEnv>()
    .use(requireUser(auth, pages), requirePermission(auth, 'tenants.manage'))
    .get(
      '/',
      operation({
        id: 'listTenantsOfAll',
        summary: 'List tenants, newest first',
        tags,
        responses: { 200: { description: 'A page of tenants', schema: TenantPage } },
        failures: [ValidationFailed, InvalidCursor],
      }),
      validated('query', ListTenants),
      async (c) => {
        const { limit, cursor } = c.req.valid('query');
        const before = cursor === undefined ? undefined : positionOf(cursors, 'tenants', cursor);
        const tenants = await tenancy.tenants.list({ limit: limit + 1, before });
        const page = toPage(tenants.map(toSummary), limit, (last) =>
          cursors.encode('tenants', [last.id]),
        );
        return c.json({ items: [...page.items], nextCursor: page.nextCursor });
      },
    )
    .get(
      '/:id',
      operation({
        id: 'getTenantOfAll',
        summary: 'Read a tenant and its plan',
        tags,
        responses: { 200: { description: 'The tenant', schema: TenantBody } },
        failures: [TenantNotFound],
      }),
      validated('param', TenantId),
      async (c) => {
        const tenant = await find(c.req.valid('param').id);
        return c.json(toBody(tenant, await planOf(tenant)));
      },
    )
    .patch(
      '/:id',
      operation({
        id: 'changeTenantOfAll',
        summary: 'Set the plan of a tenant, suspend it, or let it in again',
        description: 'In force with the next request.',
        tags,
        responses: { 200: { description: 'The tenant', schema: TenantBody } },
        failures: [TenantNotFound],
      }),
      confirmed,
      validated('param', TenantId),
      validated('json', ChangeTenant),
      async (c) => {
        const { id } = await find(c.req.valid('param').id);
        const { plan, suspended } = c.req.valid('json');
        const actor = { type: 'user', id: c.get('principal').userId } as const;
        const requestId = c.get('requestId');
        await transact(db, async (within) => {
          const options = { within, origin: originOf(c) };
          if (plan !== undefined) await plans.set(id, plan, { actor, requestId }, { within });
          if (suspended === null) await tenancy.tenants.resume(id, actor, options);
          else if (suspended !== undefined)
            await tenancy.tenants.suspend(id, suspended, actor, options);
        });
        const tenant = await find(id);
        return c.json(toBody(tenant, await planOf(tenant)));
      },
    )
    .get(
      '/:id/deletion',
      operation({
        id: 'getTenantDeletion',
        summary: 'Read how far the deletion of a tenant is, and its receipt',
        description:
          'Also of a tenant that is gone. Answers that were kept for an Idempotency-Key name no tenant: they end with their time to live, a day at most.',
        tags,
        responses: { 200: { description: 'The deletion', schema: DeletionBody } },
        failures: [TenantNotFound],
      }),
      validated('param', TenantId),
      async (c) => {
        const deletion = await tenantDeletions.find(c.req.valid('param').id);
        if (deletion === null) throw new TenantNotFound();
        return c.json(toDeletionBody(deletion));
      },
    )
    .post(
      '/:id/restore',
      operation({
        id: 'restoreTenantOfAll',
        summary: 'Bring a tenant back that is to be deleted',
        description: 'Before it is due: it is as it was.',
        tags,
        responses: { 200: { description: 'The tenant', schema: TenantBody } },
        failures: [TenantNotFound, DeletionBegun],
      }),
      confirmed,
      validated('param', TenantId),
      async (c) => {
        const { id } = c.req.valid('param');
        const actor = { type: 'user', id: c.get('principal').userId } as const;
        const tenant = await tenancy.tenants.restore(id, actor, { origin: originOf(c) });
        return c.json(toBody(tenant, await planOf(tenant)));
      },
    );
}

const toDeletionBody = ({ requestedAt, dueAt, startedAt, receipt }: DeletionProgress) => ({
  requestedAt: requestedAt.toISOString(),
  dueAt: dueAt.toISOString(),
  startedAt: startedAt?.toISOString() ?? null,
  receipt: receipt && { ...receipt, rows: { ...receipt.rows } },
});

const toSummary = (tenant: ManagedTenant) => ({
  ...tenant,
  createdAt: tenant.createdAt.toISOString(),
  suspendedAt: tenant.suspendedAt?.toISOString() ?? null,
  deletionRequestedAt: tenant.deletionRequestedAt?.toISOString() ?? null,
});

const toBody = (tenant: ManagedTenant, plan: Plan | null) => ({ ...toSummary(tenant), plan });
