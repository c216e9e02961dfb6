import type { KyselyPlugin, RootOperationNode } from 'kysely';
import type { Db } from '@svc/db';
import type { StatementScope } from './scope/place.ts';
import { namedIn } from './scope/raw-text.ts';
import { scoped } from './scope/scoped-statement.ts';
import { parseTenantId, type TenantTables } from './tenant-tables.ts';

export interface TenantScopeOptions {
  /** Null: every statement on a tenant table is refused. */
  tenantId: string | null;
  tables: TenantTables;
}

/** Whom the statements of a database or transaction are for. */
export type Tenancy = { readonly tables: TenantTables } & (
  | { readonly kind: 'tenant'; readonly tenantId: string | null }
  | { readonly kind: 'system'; readonly reason: string }
);

export interface TenancyPlugin extends KyselyPlugin {
  readonly tenancy: Tenancy;
}

/**
 * Adds the tenant to every statement on a tenant table and sets it on insert. Refuses, with a `TypeError` that says what
 * to do: a statement without a tenant, one that sets the tenant of a row to another, and any that it does not
 * understand (right, full and cross joins, `merge`, `insert … select`, raw SQL that names a tenant table, …). It cannot see
 * into views and functions, or what runs on `withoutPlugins()`: row-level security can.
 *
 * @throws {TypeError} when `tenantId` is not an id.
 */
export function tenantScope({ tenantId, tables }: TenantScopeOptions): TenancyPlugin {
  const id = tenantId === null ? null : parseTenantId(tenantId, tables.type);
  const scope: StatementScope = { tenantId: id, type: tables.type, ...lookUp(tables) };
  const place = { scope, ctes: new Set<string>() };
  return {
    tenancy: { kind: 'tenant', tenantId: id, tables },
    transformQuery: ({ node }) => scoped<RootOperationNode>(node, place),
    transformResult: async ({ result }) => result,
  };
}

/** Marks statements over all tenants; lets them through as they are. */
export function systemScope(reason: string, tables: TenantTables): TenancyPlugin {
  return {
    tenancy: { kind: 'system', reason, tables },
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => result,
  };
}

type LookUp = Pick<StatementScope, 'find' | 'namedIn'>;

// Building it costs more than scoping a statement, and every transaction wants it.
const lookUps = new WeakMap<TenantTables, LookUp>();

function lookUp(list: TenantTables): LookUp {
  const known = lookUps.get(list);
  if (known !== undefined) return known;
  const byName = Map.groupBy(list.tables, ({ name }) => name);
  const made: LookUp = {
    find(schema, name) {
      const candidates = byName.get(name);
      if (candidates === undefined) return undefined;
      if (schema !== undefined) return candidates.find((table) => table.schema === schema);
      const [only] = candidates;
      if (candidates.length === 1 && only?.schema === 'public') return only;
      throw new TypeError(`a statement names ${name} without its schema: write schema.${name}`);
    },
    namedIn: namedIn(list.tables),
  };
  lookUps.set(list, made);
  return made;
}

/** A database on which no statement touches a tenant table but within `withTenant` or `asSystem`. */
export function tenantScoped(db: Db, tables: TenantTables): Db {
  return rescoped(db, tenantScope({ tenantId: null, tables }));
}

/** Whom it is for; undefined when it did not come from `tenantScoped`. */
export function tenancyOf(db: Db): Tenancy | undefined {
  return db.getExecutor().plugins.find(isTenancyPlugin)?.tenancy;
}

const isTenancyPlugin = (plugin: KyselyPlugin): plugin is TenancyPlugin => 'tenancy' in plugin;

/** The same, for whom the plugin says; for nobody without one. */
export function rescoped<Database extends Db>(db: Database, plugin?: TenancyPlugin): Database {
  const others = db.getExecutor().plugins.filter((other) => !isTenancyPlugin(other));
  const plugins = plugin === undefined ? others : [...others, plugin];
  return plugins.reduce<Db>((made, next) => made.withPlugin(next), db.withoutPlugins()) as Database;
}
