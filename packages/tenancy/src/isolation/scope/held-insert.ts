import {
  ColumnNode,
  type InsertQueryNode,
  type OperationNode,
  PrimitiveValueListNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
  WhereNode,
} from 'kysely';
import { held, notUnderstood, type Place, refuseColumn, type Source } from './place.ts';

/** The insert with every row the tenant's, and with no other tenant's row changed where keys meet. */
export function heldInsert(insert: InsertQueryNode, source: Source, place: Place): InsertQueryNode {
  const { column } = source.table;
  const { columns, values, onConflict, onDuplicateKey, defaultValues, orAction, replace } = insert;
  if (columns === undefined || values === undefined || defaultValues === true)
    throw notUnderstood('inserts without naming columns and values');
  if (!ValuesNode.is(values)) throw notUnderstood('inserts what a query gives; read it first');
  if (onDuplicateKey !== undefined || orAction !== undefined || replace === true)
    throw notUnderstood('meets conflicts otherwise than by on conflict');
  const at = columns.findIndex((candidate) => candidate.column.name === column);
  const rows = values.values.map((row) => heldRow(row, at, place));
  refuseColumn(onConflict?.updates, source.table);
  return {
    ...insert,
    columns: at < 0 ? [...columns, ColumnNode.create(column)] : columns,
    values: ValuesNode.create(rows),
    // Where the key does not hold the tenant, the row in the way may be another tenant's.
    ...(onConflict?.updates !== undefined && {
      onConflict: {
        ...onConflict,
        updateWhere: WhereNode.create(held(onConflict.updateWhere?.where, [source], place)),
      },
    }),
  };
}

type Row = ValueListNode | PrimitiveValueListNode;

function heldRow(row: Row, at: number, { scope }: Place): Row {
  const { tenantId } = scope;
  if (at >= 0) {
    const given = PrimitiveValueListNode.is(row) ? row.values[at] : valueOf(row.values[at]);
    const same =
      typeof given === 'string' && scope.type === 'uuid'
        ? given.toLowerCase() === tenantId
        : (typeof given === 'string' || typeof given === 'number' || typeof given === 'bigint') &&
          String(given) === tenantId;
    if (same) return row;
    throw notUnderstood('inserts a row for another tenant than its own; leave the tenant out');
  }
  return PrimitiveValueListNode.is(row)
    ? PrimitiveValueListNode.create([...row.values, tenantId])
    : ValueListNode.create([...row.values, ValueNode.create(tenantId)]);
}

const valueOf = (node: OperationNode | undefined): unknown =>
  node !== undefined && ValueNode.is(node) ? node.value : undefined;
