import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCursors, InvalidCursor, toPage } from '../src/index.ts';

const cursors = createCursors({ secret: 'a secret of the service' });

test('a cursor gives back the position it was made from', () => {
  const cell = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
  );
  fc.assert(
    fc.property(fc.array(cell), (position) => {
      expect(cursors.decode('projects', cursors.encode('projects', position))).toEqual(position);
    }),
  );
});

test('a cursor that was altered anywhere is refused', () => {
  const cursor = cursors.encode('projects', ['2026-01-01', 'id']);
  fc.assert(
    fc.property(fc.nat(cursor.length - 1), fc.constantFrom(...'Aa0-_.'), (at, letter) => {
      const altered = cursor.slice(0, at) + letter + cursor.slice(at + 1);
      if (altered !== cursor)
        expect(() => cursors.decode('projects', altered)).toThrow(InvalidCursor);
    }),
  );
});

test('a cursor of another list, of another secret, or no cursor at all is refused', () => {
  const cursor = cursors.encode('projects', [1]);
  expect(() => cursors.decode('people', cursor)).toThrow(InvalidCursor);
  expect(() => createCursors({ secret: 'other' }).decode('projects', cursor)).toThrow(
    InvalidCursor,
  );
  for (const junk of ['', '.', 'a', 'a.b.c', `${cursor}.`, ' '])
    expect(() => cursors.decode('projects', junk)).toThrow(InvalidCursor);
});

test('a page has a next cursor exactly when one more row was read', () => {
  const cursor = (row: number) => `after ${row}`;
  expect(toPage([1, 2, 3], 2, cursor)).toEqual({ items: [1, 2], nextCursor: 'after 2' });
  expect(toPage([1, 2], 2, cursor)).toEqual({ items: [1, 2], nextCursor: null });
  expect(toPage([], 2, cursor)).toEqual({ items: [], nextCursor: null });
});
