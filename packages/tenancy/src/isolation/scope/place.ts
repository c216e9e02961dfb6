import {
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  type ColumnUpdateNode,
  type OperationNode,
  OperatorNode,
  ParensNode,
  ReferenceNode,
  type TableNode,
  ValueNode,
} from 'kysely';
import type { TenantIdType } from '../isolate-by-tenant.ts';
import type { TenantTable } from '../tenant-tables.ts';
import type { NamedIn } from './raw-text.ts';

/** What a statement is scoped by. */
export interface StatementScope {
  /** Null: statements on tenant tables are refused. */
  readonly tenantId: string | null;
  readonly type: TenantIdType;
  /** The tenant table of that name. @throws {TypeError} when it could be one, depending on the search path. */
  find(schema: string | undefined, name: string): TenantTable | undefined;
  readonly namedIn: NamedIn;
}

/** Where in a statement we are. */
export interface Place {
  readonly scope: StatementScope;
  /** The names that common table expressions have here. */
  readonly ctes: ReadonlySet<string>;
}

/** A tenant table in a statement, and what its columns are qualified with. */
export interface Source {
  readonly table: TenantTable;
  readonly qualifier: TableNode;
}

export function notUnderstood(what: string): TypeError {
  return new TypeError(
    `the tenant scope refuses this statement: it ${what}. Use Kysely's select, insert, update or delete with plain table names, inner and left joins; for statements over all tenants, asSystem`,
  );
}

/** The condition, and that each source is the tenant's. */
export function held(
  condition: OperationNode | undefined,
  sources: readonly Source[],
  { scope }: Place,
): OperationNode {
  const own = sources.map(({ table, qualifier }) =>
    BinaryOperationNode.create(
      ReferenceNode.create(ColumnNode.create(table.column), qualifier),
      OperatorNode.create('='),
      ValueNode.create(scope.tenantId),
    ),
  );
  const given =
    condition === undefined ? [] : [own.length === 0 ? condition : ParensNode.create(condition)];
  const [first, ...others] = [...own, ...given] as [OperationNode, ...OperationNode[]];
  return others.reduce((left, right) => AndNode.create(left, right), first);
}

/** @throws {TypeError} when a row would move to another tenant. */
export function refuseColumn(
  updates: readonly ColumnUpdateNode[] | undefined,
  table: TenantTable | undefined,
): void {
  if (table === undefined) return;
  for (const { column } of updates ?? []) {
    const named = ReferenceNode.is(column) ? column.column : column;
    if (!ColumnNode.is(named)) throw notUnderstood('sets a column that is not plainly named');
    if (named.column.name === table.column)
      throw notUnderstood(`sets ${table.column}, but a row stays with its tenant`);
  }
}
