import type { Db, Trx } from '@svc/db';
import {
  IdentifierNode,
  type KyselyPlugin,
  type OperationNode,
  type RootOperationNode,
  type SchemableIdentifierNode,
} from 'kysely';
import { quoted } from '../identifier.ts';
import { mapChildren } from '../scope/nodes.ts';
import type { TenantIsolation } from '../tenant-isolation.ts';
import { tenantScoped } from '../tenant-scope.ts';
import { parseTenantId, type TenantTables } from '../tenant-tables.ts';
import { withTenant } from '../with-tenant.ts';
import { migrateTenants, type MigrateTenantsOptions } from './migrate-tenants.ts';

export interface SchemaPerTenantOptions {
  /** As the app has it. */
  db: Db;
  /** The tables as the code names them; each tenant has its own of them. */
  tables: TenantTables;
  /** What the schema of a tenant is called. @default `tenant_` and its id without hyphens */
  schemaOf?: (tenantId: string) => string;
  /** How a new tenant gets its schema. @default `provision` is refused */
  migrate?: Omit<MigrateTenantsOptions, 'tenantIds' | 'schemaOf'>;
}

export const tenantSchema = (tenantId: string) =>
  `tenant_${tenantId.toLowerCase().replaceAll('-', '')}`;

/**
 * A schema for each tenant, with the same tables in it. The code names them as if they were shared. Each keeps its
 * tenant column, so that the scope and row-level security hold as they do for shared tables.
 *
 * @throws {TypeError} when a tenant table is in `public`: such names do not say where they lead.
 */
export function schemaPerTenant({
  db,
  tables,
  schemaOf = tenantSchema,
  migrate,
}: SchemaPerTenantOptions): TenantIsolation {
  if (tables.tables.some(({ schema }) => schema === 'public'))
    throw new TypeError('name the schema of each tenant table, and let it not be public');
  const scoped = tenantScoped(db, tables);
  return {
    within(tenantId, fn, { within = scoped, ...options } = {}) {
      const id = parseTenantId(tenantId, tables.type);
      const plugin = inSchema(schemaOf(id), tables);
      // After the scope, which knows the tables by the names that the code has for them.
      const inOwnSchema = (trx: Trx) => fn(isMoved(trx) ? trx : trx.withPlugin(plugin));
      return withTenant(within, id, inOwnSchema, options);
    },
    async provision(tenantId) {
      if (migrate === undefined) throw new TypeError('schemaPerTenant was not told how to migrate');
      const { failed } = await migrateTenants({ ...migrate, tenantIds: [tenantId], schemaOf });
      for (const { error } of failed) throw error;
    },
  };
}

interface MovingPlugin extends KyselyPlugin {
  readonly movesTo: string;
}

const isMoved = (db: Db) => db.getExecutor().plugins.some((plugin) => 'movesTo' in plugin);

/** Reads the tenant tables' names as those of one schema. */
function inSchema(schema: string, { tables }: TenantTables): MovingPlugin {
  quoted(schema);
  const names = new Set(tables.map((table) => `${table.schema}.${table.name}`));
  const own = IdentifierNode.create(schema);
  const moved = (node: OperationNode): OperationNode => {
    if (node.kind !== 'SchemableIdentifierNode') return mapChildren(node, moved);
    const name = node as SchemableIdentifierNode;
    const isTenantTable = names.has(`${name.schema?.name}.${name.identifier.name}`);
    return isTenantTable ? ({ ...name, schema: own } as SchemableIdentifierNode) : node;
  };
  return {
    movesTo: schema,
    transformQuery: ({ node }) => mapChildren(node, moved) as RootOperationNode,
    transformResult: async ({ result }) => result,
  };
}
