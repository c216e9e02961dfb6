import type { Db } from '@svc/db';
import { sql } from 'kysely';

export interface CatalogueTable {
  readonly oid: number;
  readonly name: string;
  /** Of the tenant column. */
  readonly column: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly enabled: boolean;
  readonly forced: boolean;
  readonly truncate: boolean;
  readonly owned: boolean;
  readonly ledByTenant: boolean;
}

export interface CataloguePolicy {
  readonly table: number;
  readonly name: string;
  readonly permissive: boolean;
  readonly command: string;
  readonly forAll: boolean;
  readonly using: string | null;
  readonly check: string | null;
}

export interface CatalogueKey {
  readonly table: number;
  readonly name: string;
  readonly primary: boolean;
  readonly hasTenant: boolean;
}

export interface CatalogueReference {
  readonly table: string;
  readonly name: string;
  readonly target: string;
  /** The table has the tenant column at all. */
  readonly hasColumn: boolean;
  /** The reference pairs the tenant with the tenant. */
  readonly hasTenant: boolean;
}

export interface CatalogueView {
  readonly name: string;
  readonly target: string;
  readonly materialized: boolean;
  readonly invoker: boolean;
}

export interface CatalogueFunction {
  readonly name: string;
  readonly source: string;
  readonly searchPathPinned: boolean;
  readonly ownerBypasses: boolean;
}

export interface Catalogue {
  readonly column: string;
  readonly role: { readonly name: string; readonly superuser: boolean; readonly bypasses: boolean };
  readonly tables: readonly CatalogueTable[];
  readonly policies: readonly CataloguePolicy[];
  readonly keys: readonly CatalogueKey[];
  readonly references: readonly CatalogueReference[];
  readonly views: readonly CatalogueView[];
  readonly functions: readonly CatalogueFunction[];
}

interface Reading {
  readonly column: string;
  readonly schemas: readonly string[] | undefined;
  readonly appRole: string | undefined;
}

/** What the catalogue says of tables with the tenant column, and of whatever leads to them. */
export async function readCatalogue(
  db: Db,
  { column, schemas, appRole }: Reading,
): Promise<Catalogue> {
  const role = appRole === undefined ? sql`current_user` : sql`${appRole}::name`;
  const inSchemas =
    schemas === undefined
      ? sql<boolean>`n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`
      : sql<boolean>`n.nspname = any(${schemas}::text[])`;
  const tenantTables = sql`
    select c.oid, c.relowner, n.nspname, c.relname, c.relrowsecurity, c.relforcerowsecurity, a.attnum, a.attnotnull,
      a.atttypid, n.nspname || '.' || c.relname as full_name
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = ${column} and not a.attisdropped
    where c.relkind in ('r', 'p') and ${inSchemas}`;
  const rowsOf = async <Row>(query: ReturnType<typeof sql<Row>>) => (await query.execute(db)).rows;

  const [found] = await rowsOf(sql<Catalogue['role']>`
    select rolname::text as name, rolsuper as superuser, rolbypassrls as bypasses
    from pg_catalog.pg_roles where rolname = ${role}`);
  if (found === undefined) throw new TypeError('there is no such role as appRole names');
  return {
    column,
    role: found,
    tables: await rowsOf(sql<CatalogueTable>`
      select t.oid::integer as oid, t.full_name as name, ${column}::text as column,
        pg_catalog.format_type(t.atttypid, null) as type, not t.attnotnull as nullable,
        t.relrowsecurity as enabled, t.relforcerowsecurity as forced,
        pg_catalog.has_table_privilege(${role}, t.oid, 'truncate') as truncate,
        pg_catalog.pg_has_role(${role}, t.relowner, 'member') as owned,
        exists (select from pg_catalog.pg_index i join pg_catalog.pg_class ic on ic.oid = i.indexrelid
          join pg_catalog.pg_am am on am.oid = ic.relam
          where i.indrelid = t.oid and i.indkey[0] = t.attnum and i.indisvalid and i.indpred is null
            and am.amname = 'btree') as "ledByTenant"
      from (${tenantTables}) t`),
    policies: await rowsOf(sql<CataloguePolicy>`
      select t.oid::integer as table, p.polname::text as name, p.polpermissive as permissive, p.polcmd::text as command,
        p.polroles = '{0}' as "forAll", pg_catalog.pg_get_expr(p.polqual, p.polrelid) as using,
        pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) as check
      from pg_catalog.pg_policy p join (${tenantTables}) t on t.oid = p.polrelid`),
    keys: await rowsOf(sql<CatalogueKey>`
      select t.oid::integer as table, ic.relname::text as name, i.indisprimary as primary,
        t.attnum = any(i.indkey[0:i.indnkeyatts - 1]) as "hasTenant"
      from pg_catalog.pg_index i join (${tenantTables}) t on t.oid = i.indrelid
      join pg_catalog.pg_class ic on ic.oid = i.indexrelid where i.indisunique`),
    references: await rowsOf(sql<CatalogueReference>`
      select sn.nspname || '.' || s.relname as table, k.conname::text as name, t.full_name as target,
        a.attnum is not null as "hasColumn",
        exists (select from unnest(k.conkey, k.confkey) as pair(own, theirs)
          where pair.own = a.attnum and pair.theirs = t.attnum) as "hasTenant"
      from pg_catalog.pg_constraint k
      join (${tenantTables}) t on t.oid = k.confrelid
      join pg_catalog.pg_class s on s.oid = k.conrelid join pg_catalog.pg_namespace sn on sn.oid = s.relnamespace
      left join pg_catalog.pg_attribute a on a.attrelid = s.oid and a.attname = ${column} and not a.attisdropped
      where k.contype = 'f' and k.conparentid = 0`),
    views: await rowsOf(sql<CatalogueView>`
      with recursive leads as (
        select r.ev_class as oid, t.full_name as target from pg_catalog.pg_rewrite r
        join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
        join (${tenantTables}) t on d.refclassid = 'pg_catalog.pg_class'::regclass and t.oid = d.refobjid
        union
        select r.ev_class, leads.target from pg_catalog.pg_rewrite r
        join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
        join leads on d.refclassid = 'pg_catalog.pg_class'::regclass and leads.oid = d.refobjid
      )
      select distinct n.nspname || '.' || c.relname as name, leads.target, c.relkind = 'm' as materialized,
        coalesce(exists (select from unnest(c.reloptions) as option where option in ('security_invoker=true',
          'security_invoker=on', 'security_invoker=1', 'security_invoker=yes')), false) as invoker
      from leads join pg_catalog.pg_class c on c.oid = leads.oid and c.relkind in ('v', 'm')
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace`),
    functions: await rowsOf(sql<CatalogueFunction>`
      select n.nspname || '.' || p.proname as name,
        coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc) as source,
        coalesce(exists (select from unnest(p.proconfig) as setting where setting like 'search_path=%'), false)
          as "searchPathPinned",
        o.rolsuper or o.rolbypassrls as "ownerBypasses"
      from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      join pg_catalog.pg_roles o on o.oid = p.proowner
      where p.prosecdef and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
        and not exists (select from pg_catalog.pg_depend e where e.objid = p.oid and e.deptype = 'e')`),
  };
}
