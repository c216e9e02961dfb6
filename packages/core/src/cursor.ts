import { createHmac } from 'node:crypto';
import { InvalidCursor } from './failures.ts';
import { constantTimeEqual } from './random.ts';

/** What a position in a list is made of: the values of the columns it is ordered by. */
export type CursorPosition = readonly (string | number | boolean | null)[];

/** One page of a list, in the form every list endpoint answers. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins, opaque; `null` on the last one. */
  readonly nextCursor: string | null;
}

export interface Cursors {
  /** An opaque, signed text for a position in the list named `list`. */
  encode(list: string, position: CursorPosition): string;
  /** The position. @throws {InvalidCursor} when it was altered, cut, made for another list or with another secret. */
  decode(list: string, cursor: string): CursorPosition;
}

const macBytes = 16;

/**
 * Opaque cursors for keyset paging, signed with HMAC-SHA-256 cut to 128 bits (RFC 2104 section 5),
 * so that a client can neither build one nor move one to another list.
 */
export function createCursors({ secret }: { secret: string }): Cursors {
  const sign = (list: string, body: string) =>
    createHmac('sha256', secret).update(`cursor\0${list}\0${body}`).digest().subarray(0, macBytes);

  return {
    encode(list, position) {
      const body = Buffer.from(JSON.stringify(position)).toString('base64url');
      return `${body}.${sign(list, body).toString('base64url')}`;
    },
    decode(list, cursor) {
      const [body, mac, ...rest] = cursor.split('.');
      if (body === undefined || mac === undefined || rest.length > 0) throw new InvalidCursor();
      if (!constantTimeEqual(mac, sign(list, body).toString('base64url')))
        throw new InvalidCursor();
      return JSON.parse(Buffer.from(body, 'base64url').toString()) as CursorPosition;
    },
  };
}

/** Cuts `rows`, read with `limit + 1`, into a page, and makes the cursor from the last row that is kept. */
export function toPage<Row>(
  rows: readonly Row[],
  limit: number,
  toCursor: (last: Row) => string,
): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? toCursor(last) : null };
}
