import {
  type Clock,
  type Cursors,
  type FailureClass,
  InvalidCursor,
  type NewId,
  systemClock,
  uuidv7,
  ValidationFailed,
} from '@svc/core';
import { StaleVersion } from '@svc/db';
import { expectedVersions, PreconditionFailed, PreconditionRequired, toEtag } from '@svc/http';
import { operation, validated } from '@svc/http/hono';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import {
  ResourceConflict,
  ResourceNotFound,
  RoleRequired,
  TenantMismatch,
  TenantNotFound,
  TenantSuspended,
} from '../failures.ts';
import type { TenantIsolation } from '../isolation/tenant-isolation.ts';
import { parseOrder } from '../rows/order.ts';
import { toColumn, toColumns } from '../rows/names.ts';
import { type Alongside, createTenantRows, type TenantRow } from '../rows/tenant-rows.ts';
import type { Tenancy } from '../tenancy.ts';
import {
  type AnyObjectSchema,
  changeOf,
  listQuery,
  pageOf,
  ResourceParam,
  toBody,
} from './crud-schemas.ts';
import { assertCrud } from './crud-checks.ts';
import type { TenantCrudRoutes } from './crud-routes-type.ts';
import { requireTenantRole, type TenantEnv, tenantOf } from './require-tenant.ts';
import { staleAsPrecondition } from './stale-as-precondition.ts';

export type CrudAction = 'list' | 'read' | 'create' | 'change' | 'delete';

export interface TenantCrudOptions<
  Role extends string,
  Create extends AnyObjectSchema,
  Change extends AnyObjectSchema,
  Body extends AnyObjectSchema,
> {
  /** Where the rows of tenants live: `sharedTables({ db, tables })`. */
  isolation: TenantIsolation;
  /** Has the columns `id`, `version`, `created_at` and `updated_at` beside those of the schemas, `createdAt` being `created_at`. */
  table: string;
  /** In the plural and the singular, as clients name their methods: `{ many: 'projects', one: 'project' }`. */
  names: { many: string; one: string };
  /** What a client may send to create and to change one, and what it gets; `create` and `change` are strict objects without ids, tenant and version. */
  schemas: { create: Create; change: Change; body: Body };
  /** Keys of `body` by which a client may search (text) and order; no others. @default none, and the newest first */
  columns?: {
    searchable?: readonly (keyof Body['entries'] & string)[];
    sortable?: readonly (keyof Body['entries'] & string)[];
  };
  /** The column that says when a row was deleted. @default rows are deleted for good */
  softDelete?: string;
  /** The least role for an action, or a middleware that lets pass. @default any member */
  permissions?: Partial<Readonly<Record<CrudAction, Role | MiddlewareHandler<TenantEnv>>>>;
  /** Columns that the app sets when one is created: whose it is. @default none */
  createdWith?: (c: Context) => TenantRow;
  /** More in the transaction of a write: quotas, the audit log. @default nothing */
  alongside?: Partial<
    Readonly<
      Record<
        'create' | 'change' | 'delete',
        (trx: Parameters<Alongside>[0], row: TenantRow, c: Context) => Promise<unknown>
      >
    >
  >;
  /** @default ResourceNotFound */
  notFound?: FailureClass;
  /** Makes the cursors of pages. */
  cursors: Cursors;
  /** @default systemClock */
  clock?: Clock;
  /** @default uuidv7 */
  newId?: NewId;
}

/**
 * List, read, create, change and delete the rows that a tenant has in a table; stands behind `requireTenant`, from
 * which the tenant comes, never from what a client sends. Another tenant's row answers as one that does not exist.
 *
 * @throws {TypeError} when a schema would let a client set what it must not.
 */
export function tenantCrud<
  Role extends string,
  Create extends AnyObjectSchema,
  Change extends AnyObjectSchema,
  Body extends AnyObjectSchema,
>(
  tenancy: Tenancy<Role>,
  options: TenantCrudOptions<Role, Create, Change, Body>,
): TenantCrudRoutes<Create, Change, Body> {
  const { isolation, table, names, schemas, cursors, createdWith = () => ({}) } = options;
  const { columns: { searchable = [], sortable = [] } = {}, softDelete = null } = options;
  const { notFound = ResourceNotFound, clock = systemClock, newId = uuidv7 } = options;
  assertCrud({ ...schemas, searchable, sortable });
  const rows = createTenantRows({
    isolation,
    table,
    searchable: searchable.map(toColumn),
    softDelete,
    cursors,
    notFound: () => new notFound(),
    clock,
    newId,
  });
  const may = (action: CrudAction): MiddlewareHandler<TenantEnv> => {
    const permission = options.permissions?.[action] ?? (tenancy.ladder.roles[0] as Role);
    return typeof permission === 'string' ? requireTenantRole(tenancy, permission) : permission;
  };
  const alongside = (action: 'create' | 'change' | 'delete', c: Context): Alongside | undefined => {
    const more = options.alongside?.[action];
    return more === undefined ? undefined : (trx, row) => more(trx, row, c);
  };
  const bodyOf = (row: TenantRow) => toBody(schemas.body, row);
  const tags = [capitalized(names.many)];
  const refusals = [TenantMismatch, TenantNotFound, TenantSuspended, RoleRequired];
  const one = `the ${names.one}`;

  const routes = new Hono<TenantEnv>()
    .get(
      '/',
      operation({
        id: `list${capitalized(names.many)}`,
        summary: `List ${names.many}, the newest first unless told`,
        tags,
        responses: {
          200: { description: `A page of ${names.many}.`, schema: pageOf(schemas.body) },
        },
        failures: [ValidationFailed, InvalidCursor, ...refusals],
      }),
      may('list'),
      validated('query', listQuery({ searches: searchable.length > 0, sortable })),
      async (c) => {
        const { limit, cursor, q, order } = c.req.valid('query');
        const query = { limit, cursor, contains: q, order: parseOrder(order) };
        const page = await rows.list(tenantOf(c).id, query);
        return c.json({ items: page.items.map(bodyOf), nextCursor: page.nextCursor }, 200);
      },
    )
    .post(
      '/',
      operation({
        id: `create${capitalized(names.one)}`,
        summary: `Create a ${names.one}`,
        tags,
        responses: { 201: { description: `Created: ${one}.`, schema: schemas.body } },
        failures: [ValidationFailed, ResourceConflict, ...refusals],
      }),
      may('create'),
      validated('json', schemas.create),
      async (c) => {
        const values = { ...toColumns(c.req.valid('json') as object), ...createdWith(c) };
        const row = await rows.create(tenantOf(c).id, values, alongside('create', c));
        c.header('Location', `${c.req.path.replace(/\/$/, '')}/${String(row['id'])}`);
        c.header('ETag', toEtag(row['version'] as number));
        return c.json(bodyOf(row), 201);
      },
    )
    .get(
      '/:id',
      operation({
        id: `get${capitalized(names.one)}`,
        summary: `Read a ${names.one}`,
        tags,
        responses: { 200: { description: `Found: ${one}.`, schema: schemas.body } },
        failures: [ValidationFailed, notFound, ...refusals],
      }),
      may('read'),
      validated('param', ResourceParam),
      async (c) => {
        const row = await rows.get(tenantOf(c).id, c.req.valid('param').id);
        c.header('ETag', toEtag(row['version'] as number));
        return c.json(bodyOf(row), 200);
      },
    )
    .patch(
      '/:id',
      operation({
        id: `change${capitalized(names.one)}`,
        summary: `Change a ${names.one}`,
        description:
          'Says which version is meant, by `If-Match` or by `version` in the body; a change of another version is refused.',
        tags,
        responses: { 200: { description: `Changed: ${one}.`, schema: schemas.body } },
        failures: [
          ValidationFailed,
          notFound,
          StaleVersion,
          ResourceConflict,
          PreconditionFailed,
          PreconditionRequired,
          ...refusals,
        ],
      }),
      may('change'),
      validated('param', ResourceParam),
      validated('json', changeOf(schemas.change)),
      async (c) => {
        const { version, ...change } = c.req.valid('json') as { version?: number };
        const ifMatch = c.req.header('If-Match');
        if (ifMatch === undefined && version === undefined) throw new PreconditionRequired();
        const row = await rows
          .change(tenantOf(c).id, c.req.valid('param').id, {
            versions: expectedVersions({ ifMatch, version }),
            values: toColumns(change),
            alongside: alongside('change', c),
          })
          .catch(staleAsPrecondition(ifMatch));
        c.header('ETag', toEtag(row['version'] as number));
        return c.json(bodyOf(row), 200);
      },
    )
    .delete(
      '/:id',
      operation({
        id: `delete${capitalized(names.one)}`,
        summary: `Delete a ${names.one}`,
        tags,
        responses: { 204: { description: 'It is gone.' } },
        failures: [ValidationFailed, notFound, ResourceConflict, PreconditionFailed, ...refusals],
      }),
      may('delete'),
      validated('param', ResourceParam),
      async (c) => {
        const ifMatch = c.req.header('If-Match');
        await rows
          .delete(tenantOf(c).id, c.req.valid('param').id, {
            versions: expectedVersions({ ifMatch }),
            alongside: alongside('delete', c),
          })
          .catch(staleAsPrecondition(ifMatch));
        return c.body(null, 204);
      },
    );
  // Written out: what the chain infers of three generic schemas is more than a declaration may hold.
  return routes as unknown as TenantCrudRoutes<Create, Change, Body>;
}

const capitalized = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);
