import { failure } from '@svc/core';
import { describe, expect, test } from 'vitest';
import {
  conflictAsPrecondition,
  expectedVersions,
  expectsAbsence,
  isKnownVersion,
  PreconditionFailed,
  PreconditionRequired,
  requireVersions,
  toEtag,
} from '../src/precondition.ts';

test('the tag of a version names that version again', () => {
  expect(expectedVersions({ ifMatch: toEtag(7) })).toEqual([7]);
});

test.each([
  [{ ifMatch: '"1", "2"' }, [1, 2]],
  [{ ifMatch: '*' }, undefined],
  [{ ifMatch: ' * ' }, undefined],
  [{}, undefined],
  [{ version: 3 }, [3]],
  [{ ifMatch: '"3"', version: 3 }, [3]],
  [{ ifMatch: '"3"', version: 4 }, []],
  [{ ifMatch: 'W/"3"' }, []],
  [{ ifMatch: '3' }, []],
  [{ ifMatch: '"abc", "3"' }, [3]],
  [{ ifMatch: '' }, []],
  [{ ifMatch: '"99999999999999999999"' }, []],
])('%j stands for %j', (given, versions) => {
  expect(expectedVersions(given)).toEqual(versions);
});

test('a write that must say which version it means is refused when it does not', () => {
  expect(() => requireVersions({})).toThrow(PreconditionRequired);
  expect(requireVersions({ ifMatch: '*' })).toBeUndefined();
  expect(requireVersions({ version: 3 })).toEqual([3]);
  // A weak tag says something, and matches nothing (RFC 9110, 13.1.1): stale, not missing.
  expect(requireVersions({ ifMatch: 'W/"3"' })).toEqual([]);
});

describe('If-None-Match', () => {
  test('guards a write by * alone', () => {
    expect(expectsAbsence(undefined)).toBe(false);
    expect(expectsAbsence(' * ')).toBe(true);
    expect(() => expectsAbsence('"1"')).toThrow(PreconditionFailed);
  });

  test.each([
    [undefined, false],
    ['"3"', true],
    ['W/"3"', true],
    ['"1", W/"3"', true],
    ['*', true],
    ['"33"', false],
    ['3', false],
    ['', false],
  ])('%j knows version 3: %j', (ifNoneMatch, isKnown) => {
    expect(isKnownVersion(ifNoneMatch, 3)).toBe(isKnown);
  });
});

test('a conflict is a failed precondition where a header guards the write, and only that conflict', async () => {
  class Stale extends failure('things.stale', 'conflict', 'Stale.') {}
  class Taken extends failure('things.taken', 'conflict', 'Taken.') {}
  const write = (error: Error, header?: string) =>
    Promise.reject(error).catch(conflictAsPrecondition(header, Stale));
  await expect(write(new Stale(), '"1"')).rejects.toBeInstanceOf(PreconditionFailed);
  await expect(write(new Stale())).rejects.toBeInstanceOf(Stale);
  await expect(write(new Taken(), '"1"')).rejects.toBeInstanceOf(Taken);
});
