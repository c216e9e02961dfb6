import { type Cursors, InvalidCursor, isUuid } from '@svc/core';

/** The id that a cursor of a list stands behind. @throws {InvalidCursor} */
export function positionOf(cursors: Cursors, list: string, cursor: string): string {
  const [id] = cursors.decode(list, cursor);
  if (typeof id !== 'string' || !isUuid(id)) throw new InvalidCursor();
  return id;
}
