import { expect, test } from 'vitest';
import { createUuidV7, isUuid, uuidv7 } from '../src/index.ts';
import { testClock } from '../src/testing.ts';

test('an id is a UUIDv7 that holds the time it was made (RFC 9562, 5.7)', () => {
  const clock = testClock('2026-03-04T05:06:07.089Z');
  const id = createUuidV7({ clock })();
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(clock.now().getTime());
});

test('ids of one generator only grow, within a millisecond and when the clock steps back', () => {
  let time = Date.parse('2026-01-01');
  const newId = createUuidV7({ clock: { ...testClock(), now: () => new Date(time) } });
  const ids = Array.from({ length: 20_000 }, (_, i) => {
    if (i === 10_000) time -= 60_000;
    return newId();
  });
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});

test('two generators on one frozen clock make different ids', () => {
  const clock = testClock();
  expect(createUuidV7({ clock })()).not.toBe(createUuidV7({ clock })());
});

test('a UUID is told from what is not one', () => {
  expect(isUuid(uuidv7())).toBe(true);
  for (const text of ['', 'x', `${uuidv7()} `, uuidv7().replaceAll('-', ''), `{${uuidv7()}}`])
    expect(isUuid(text)).toBe(false);
});
