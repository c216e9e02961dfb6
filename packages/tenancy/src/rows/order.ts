import { type CursorPosition, InvalidCursor, isUuid } from '@svc/core';
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import { toColumn } from './names.ts';

/** By which column a list is ordered, and where the page before ended. */
export interface Order {
  readonly column: string;
  readonly descending: boolean;
}

/** The newest first: ids are UUIDv7, so they agree with the time. */
export const newestFirst: Order = { column: 'id', descending: true };

/** `name`, or `-name` from the end; the newest first where absent. */
export function parseOrder(order: string | undefined): Order {
  if (order === undefined) return newestFirst;
  const descending = order.startsWith('-');
  return { column: toColumn(descending ? order.slice(1) : order), descending };
}

type Builder = ExpressionBuilder<Record<string, Record<string, unknown>>, string>;

/** What stands after a position; nulls come last either way, and ids break ties. @throws {InvalidCursor} */
export function after(
  eb: Builder,
  { column, descending }: Order,
  position: CursorPosition,
): Expression<SqlBool> {
  const [value, id] = position;
  if (typeof id !== 'string' || !isUuid(id)) throw new InvalidCursor();
  const beyond = descending ? '<' : '>';
  const idBeyond = eb('id', beyond, id);
  if (column === 'id') return idBeyond;
  if (value === null) return eb.and([eb(column, 'is', null), idBeyond]);
  return eb.or([
    eb(column, beyond, value),
    eb.and([eb(column, '=', value), idBeyond]),
    eb(column, 'is', null),
  ]);
}
