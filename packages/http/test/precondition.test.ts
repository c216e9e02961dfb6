import { expect, test } from 'vitest';
import { expectedVersions, toEtag } from '../src/precondition.ts';

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
