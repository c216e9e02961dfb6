import { expect, test } from 'vitest';
import { defineEvent } from '../src/index.ts';
import { recordEvents } from '../src/testing.ts';

test('a subscriber sees each payload with the instance it comes from, until it leaves', () => {
  const renamed = defineEvent<{ id: string }>('svc.demo.renamed');
  const seen = recordEvents(renamed);
  renamed.publish('one', { id: 'a' });
  renamed.publish('two', { id: 'b' });
  seen[Symbol.dispose]();
  renamed.publish('one', { id: 'c' });
  expect(seen.events).toEqual([
    { instance: 'one', payload: { id: 'a' } },
    { instance: 'two', payload: { id: 'b' } },
  ]);
});

test('a subscriber that throws harms neither the publisher nor the next subscriber', () => {
  const broken = defineEvent<{ id: string }>('svc.demo.broken');
  const errors: unknown[] = [];
  const leave = broken.subscribe(
    () => {
      throw new Error('mine');
    },
    (error) => errors.push(error),
  );
  using seen = recordEvents(broken);
  broken.publish('one', { id: 'a' });
  leave();
  expect(seen.events).toHaveLength(1);
  expect(errors).toEqual([new Error('mine')]);
});
