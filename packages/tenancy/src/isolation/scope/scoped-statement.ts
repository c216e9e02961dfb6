import {
  type AliasNode,
  type DeleteQueryNode,
  type FromNode,
  type FunctionNode,
  type IdentifierNode,
  type InsertQueryNode,
  type JoinNode,
  OnNode,
  type OperationNode,
  type RawNode,
  type SchemableIdentifierNode,
  type SelectQueryNode,
  TableNode,
  type UpdateQueryNode,
  type UsingNode,
  WhereNode,
  type WithNode,
} from 'kysely';
import type { TenantTable } from '../tenant-tables.ts';
import { heldInsert } from './held-insert.ts';
import { mapChildren } from './nodes.ts';
import { held, notUnderstood, type Place, refuseColumn, type Source } from './place.ts';
import { refusalOf } from './raw-text.ts';

/**
 * The statement, held to the tenant. Whatever is not known to be safe is refused: a tenant table in a place that no rule
 * below speaks of.
 *
 * @throws {TypeError} that says what to write instead.
 */
export function scoped<Node extends OperationNode>(node: Node, place: Place): Node;
export function scoped(node: OperationNode, place: Place): OperationNode {
  switch (node.kind) {
    case 'SelectQueryNode':
      return scopedSelect(node as SelectQueryNode, place);
    case 'InsertQueryNode':
      return scopedInsert(node as InsertQueryNode, place);
    case 'UpdateQueryNode':
      return scopedUpdate(node as UpdateQueryNode, place);
    case 'DeleteQueryNode':
      return scopedDelete(node as DeleteQueryNode, place);
    case 'MergeQueryNode': {
      const [statement, within] = enterWith(node as Statement, place);
      return mapChildren(statement, (child) => scoped(child, within));
    }
    case 'RawNode': {
      const refusal = refusalOf(node as RawNode, place.scope.namedIn);
      if (refusal !== undefined) throw notUnderstood(refusal);
      return mapChildren(node, (child) => scoped(child, place));
    }
    // These name a table that stands in the statement elsewhere.
    case 'ReferenceNode':
      return node;
    case 'FunctionNode':
    case 'AggregateFunctionNode':
      if (/^(?:pg_catalog\.)?set_config$/i.test((node as FunctionNode).func))
        throw notUnderstood('changes settings or the role of the transaction');
      return mapChildren(node, (child) => (TableNode.is(child) ? child : scoped(child, place)));
    case 'SelectModifierNode':
      return mapChildren(node, (child) => (TableNode.is(child) ? child : scoped(child, place)));
    case 'TableNode':
    case 'SchemableIdentifierNode': {
      const table = tableOf(node, place);
      if (table === undefined) return node;
      throw notUnderstood(`has ${table.schema}.${table.name} in a place it cannot follow`);
    }
    default:
      if (/^(?:Create|Alter|Drop|Refresh)\w+Node$/.test(node.kind))
        throw notUnderstood('changes the schema, which is for migrations');
      return mapChildren(node, (child) => scoped(child, place));
  }
}

/** A statement that may begin with `with`. */
type Statement = OperationNode & { readonly with?: WithNode };

/** The statement with its common table expressions scoped, and the place that its body is in. */
function enterWith<Node extends Statement>(node: Node, place: Place): [Node, Place] {
  if (node.with === undefined) return [node, place];
  const { expressions, recursive = false } = node.with;
  const nameOf = (at: number) => expressions[at]?.name.table.table.identifier.name ?? '';
  const all = new Set([...place.ctes, ...expressions.map((_, at) => nameOf(at))]);
  // Each sees those before it, and only a recursive one itself: elsewhere the name is still the table's.
  const visible = new Set(recursive ? all : place.ctes);
  const scopedExpressions = expressions.map((expression, at) => {
    const result = {
      ...expression,
      expression: scoped(expression.expression, { ...place, ctes: new Set(visible) }),
    };
    visible.add(nameOf(at));
    return result;
  });
  return [
    { ...node, with: { ...node.with, expressions: scopedExpressions } },
    { ...place, ctes: all },
  ];
}

/** Scopes what no rule has dealt with yet. */
function rest<Node extends OperationNode>(node: Node, place: Place, done: readonly string[]): Node {
  const open = Object.fromEntries(
    Object.entries(node).filter(([field]) => !done.includes(field)),
  ) as unknown as OperationNode;
  return { ...node, ...mapChildren(open, (child) => scoped(child, place)) };
}

function scopedSelect(node: SelectQueryNode, outer: Place): SelectQueryNode {
  const [select, place] = enterWith(node, outer);
  const sources: Source[] = [];
  const from = select.from === undefined ? {} : { from: scopedFrom(select.from, place, sources) };
  const joins = scopedJoins(select, place, sources.length > 0);
  return {
    ...rest(select, place, ['with', 'from', 'joins', 'where']),
    ...from,
    ...joins,
    ...scopedWhere(select, place, sources),
  };
}

function scopedInsert(node: InsertQueryNode, outer: Place): InsertQueryNode {
  const [insert, place] = enterWith(node, outer);
  const sources: Source[] = [];
  if (insert.into !== undefined) scopedItem(insert.into, place, sources);
  const result = rest(insert, place, ['with', 'into']);
  const [source] = sources;
  return source === undefined ? result : heldInsert(result, source, place);
}

function scopedUpdate(node: UpdateQueryNode, outer: Place): UpdateQueryNode {
  const [update, place] = enterWith(node, outer);
  const sources: Source[] = [];
  const table =
    update.table === undefined ? {} : { table: scopedItem(update.table, place, sources) };
  refuseColumn(update.updates, sources[0]?.table);
  const from = update.from === undefined ? {} : { from: scopedFrom(update.from, place, sources) };
  const joins = scopedJoins(update, place, sources.length > 0);
  return {
    ...rest(update, place, ['with', 'table', 'from', 'joins', 'where']),
    ...table,
    ...from,
    ...joins,
    ...scopedWhere(update, place, sources),
  };
}

function scopedDelete(node: DeleteQueryNode, outer: Place): DeleteQueryNode {
  const [remove, place] = enterWith(node, outer);
  const sources: Source[] = [];
  const from = scopedFrom(remove.from, place, sources);
  const using: { using?: UsingNode } =
    remove.using === undefined
      ? {}
      : {
          using: {
            ...remove.using,
            tables: remove.using.tables.map((item) => scopedItem(item, place, sources)),
          },
        };
  const joins = scopedJoins(remove, place, sources.length > 0);
  return {
    ...rest(remove, place, ['with', 'from', 'using', 'joins', 'where']),
    from,
    ...using,
    ...joins,
    ...scopedWhere(remove, place, sources),
  };
}

function scopedFrom(from: FromNode, place: Place, sources: Source[]): FromNode {
  return { ...from, froms: from.froms.map((item) => scopedItem(item, place, sources)) };
}

// What may stand where a table does. A reference may not: it would be compiled as a name.
const items: ReadonlySet<string> = new Set([
  'SelectQueryNode',
  'RawNode',
  'FunctionNode',
  'ParensNode',
  'ValuesNode',
  'ListNode',
]);

/** One item of `from`, `join`, `using`, `update`, `insert into`; a tenant table is noted in `sources`. */
function scopedItem(item: OperationNode, place: Place, sources: Source[]): OperationNode {
  const isAlias = item.kind === 'AliasNode';
  const inner = isAlias ? (item as AliasNode).node : item;
  if (TableNode.is(inner)) {
    const table = tableOf(inner, place);
    if (table === undefined) return item;
    if (place.scope.tenantId === null)
      throw new TypeError(
        `a statement on ${table.schema}.${table.name} needs a tenant: use withTenant, or asSystem for all tenants`,
      );
    sources.push({ table, qualifier: isAlias ? aliasOf(item as AliasNode) : inner });
    return item;
  }
  if (!items.has(inner.kind)) throw notUnderstood('reads from something that is no plain table');
  return scoped(item, place);
}

function aliasOf({ alias }: AliasNode): TableNode {
  if (alias.kind !== 'IdentifierNode') throw notUnderstood('gives a table an alias in raw SQL');
  return TableNode.create((alias as IdentifierNode).name);
}

const joinsOnTenant: ReadonlySet<string> = new Set([
  'InnerJoin',
  'LeftJoin',
  'LateralInnerJoin',
  'LateralLeftJoin',
]);

function scopedJoins(
  { joins }: { readonly joins?: readonly JoinNode[] },
  place: Place,
  hasTenantTable: boolean,
): { joins?: readonly JoinNode[] } {
  if (joins === undefined) return {};
  const found: Source[] = [];
  const result = joins.map((join): JoinNode => {
    const sources: Source[] = [];
    const table = scopedItem(join.table, place, sources);
    const on = join.on === undefined ? undefined : scoped(join.on.on, place);
    const [source] = sources;
    found.push(...sources);
    if (source === undefined) return { ...join, table, ...(on && { on: OnNode.create(on) }) };
    if (on === undefined || !joinsOnTenant.has(join.joinType))
      throw notUnderstood(
        `joins ${source.table.schema}.${source.table.name} otherwise than by an inner or left join with a condition`,
      );
    return { ...join, table, on: OnNode.create(held(on, [source], place)) };
  });
  const outer = joins.some(({ joinType }) => joinType === 'RightJoin' || joinType === 'FullJoin');
  if (outer && (hasTenantTable || found.length > 0))
    throw notUnderstood('has a right or full join, which keeps rows that no condition holds back');
  return { joins: result };
}

function scopedWhere(
  { where }: { readonly where?: WhereNode },
  place: Place,
  sources: readonly Source[],
): { where?: WhereNode } {
  const condition = where === undefined ? undefined : scoped(where.where, place);
  if (condition === undefined && sources.length === 0) return {};
  return { where: WhereNode.create(held(condition, sources, place)) };
}

/** The tenant table that it names, unless a common table expression has that name here. */
function tableOf(node: OperationNode, { scope, ctes }: Place): TenantTable | undefined {
  const { schema, identifier } = TableNode.is(node)
    ? node.table
    : (node as SchemableIdentifierNode);
  if (schema === undefined && ctes.has(identifier.name)) return undefined;
  return scope.find(schema?.name, identifier.name);
}
