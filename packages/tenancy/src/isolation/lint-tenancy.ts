import type { Db } from '@svc/db';
import { checkTenantTables } from '../data/check-tenant-tables.ts';
import { directoryExceptions } from './lint/directory-exceptions.ts';
import { type Catalogue, readCatalogue } from './lint/catalogue.ts';
import { type Finding, type LintRule, listRules } from './lint/finding.ts';
import { keyFindings } from './lint/keys.ts';
import { roleFindings } from './lint/roles.ts';
import { securityFindings } from './lint/security.ts';
import { viewAndFunctionFindings } from './lint/views-and-functions.ts';
import type { TenantTables } from './tenant-tables.ts';

/** A way past isolation that the catalogue shows. */
export type TenancyFinding = Finding;

/** What was weighed, and why it stays. */
export type TenancyException = { readonly why: string } & (
  | { readonly table: string; readonly rule: string }
  | { readonly schema: string }
);

export interface LintTenancyOptions {
  /** The column that makes a table a tenant table. @default 'tenant_id' */
  column?: string;
  /** Only these schemas. @default all but PostgreSQL's own */
  schemas?: readonly string[];
  /** The role the app runs as. @default the one that asks */
  appRole?: string;
  /** The list that the scope goes by, compared as `checkTenantTables` does; no exception for a schema hides what it lacks. @default not compared */
  tables?: TenantTables;
  /** What was weighed and stays: findings of this rule on this table are left out; or all on tables of a schema, whose package keeps tenants apart by itself. @default none */
  except?: readonly TenancyException[];
}

/**
 * Reads the catalogue and gives every place where the isolation of tenants has a hole; none is what a gate asks for.
 * Tables with the tenant column: row-level security forced, by the policy that `isolateByTenant` makes and no wider one;
 * keys, indexes and foreign keys with the tenant; no view, function, grant or role that leads past it.
 */
export async function lintTenancy(
  db: Db,
  { column = 'tenant_id', schemas, appRole, tables, except = [] }: LintTenancyOptions = {},
): Promise<readonly TenancyFinding[]> {
  if (except.some(({ why }) => why.trim() === '')) throw new TypeError('an exception says why');
  const catalogue: Catalogue = await readCatalogue(db, { column, schemas, appRole });
  const findings = [
    ...securityFindings(catalogue),
    ...keyFindings(catalogue),
    ...viewAndFunctionFindings(catalogue),
    ...roleFindings(catalogue),
    ...(tables === undefined ? [] : await checkTenantTables(db, tables, { column, schemas })),
  ];
  const left = (finding: Finding) =>
    ![...directoryExceptions, ...except].some((exception) => covers(exception, finding));
  return findings
    .filter(left)
    .toSorted((a, b) => `${a.table} ${a.rule}`.localeCompare(`${b.table} ${b.rule}`));
}

// In whatever schema it is: what leads past isolation from elsewhere, and what export and deletion would leave out.
const everywhere: ReadonlySet<string> = new Set<LintRule>([
  'view-not-invoker',
  'materialized-view',
  'definer-function',
  'function-search-path',
  ...listRules,
]);

const covers = (exception: TenancyException, { table, rule }: Finding) =>
  'schema' in exception
    ? table.startsWith(`${exception.schema}.`) && !everywhere.has(rule)
    : table === exception.table && rule === exception.rule;
