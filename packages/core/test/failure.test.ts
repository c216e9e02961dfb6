import { expect, test } from 'vitest';
import { failure, isFailure } from '../src/index.ts';

class Locked extends failure('demo.locked', 'conflict', 'It is locked.') {}
class Missing extends failure('demo.missing', 'not_found', 'It is not there.') {}

test('a failure carries code, kind, details and cause, and its title is its message', () => {
  const cause = new Error('disk');
  const error = new Locked({ retryAfterSeconds: 3 }, { cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ code: 'demo.locked', kind: 'conflict', message: 'It is locked.' });
  expect(error.details.retryAfterSeconds).toBe(3);
  expect(error.cause).toBe(cause);
  expect([Locked.code, Locked.kind, Locked.title]).toEqual([
    'demo.locked',
    'conflict',
    'It is locked.',
  ]);
});

test('a failure is known by its brand, so that one of another copy of the package counts', () => {
  const foreign = Object.assign(new Error('x'), {
    '~failure': true,
    code: 'demo.locked',
    kind: 'conflict',
    details: {},
  });
  expect(isFailure(foreign)).toBe(true);
  expect(isFailure(foreign, Locked)).toBe(true);
  expect(isFailure(foreign, Missing)).toBe(false);
});

test('anything else is not a failure', () => {
  for (const value of [new Error('x'), null, undefined, 'demo.locked', { code: 'demo.locked' }]) {
    expect(isFailure(value)).toBe(false);
  }
});
