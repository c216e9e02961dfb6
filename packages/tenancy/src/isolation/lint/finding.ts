/** A way past isolation that the catalogue shows. */
export interface Finding {
  /** `schema.name` of the table, view or function; for a role its name. */
  readonly table: string;
  readonly rule: LintRule;
  readonly message: string;
  /** What to do, mostly a statement for a migration. */
  readonly fix: string;
}

export type LintRule =
  | 'row-security-off'
  | 'row-security-not-forced'
  | 'policy-missing'
  | 'policy-form'
  | 'policy-too-wide'
  | 'tenant-nullable'
  | 'index-without-tenant'
  | 'primary-key-without-tenant'
  | 'unique-key-without-tenant'
  | 'foreign-key-without-tenant'
  | 'tenant-column-missing'
  | 'view-not-invoker'
  | 'materialized-view'
  | 'definer-function'
  | 'function-search-path'
  | 'truncate-granted'
  | 'role-bypasses'
  | 'role-owns-table'
  | ListRule;

/** What can be wrong with the list of tenant tables. */
export const listRules = [
  'table-not-registered',
  'registered-table-missing',
  'omitted-column-missing',
  'omitted-column-required',
  'foreign-key-circle',
] as const;
export type ListRule = (typeof listRules)[number];
