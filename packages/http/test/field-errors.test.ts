import * as fc from 'fast-check';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { createFieldErrors } from '../src/field-errors.ts';

const errorsOf = (schema: v.GenericSchema, input: unknown) => {
  const result = v.safeParse(schema, input);
  return result.success ? [] : createFieldErrors(schema).ofIssues(result.issues);
};

test('a constant message of the schema is used, a computed one is not', () => {
  const constant = v.pipe(
    v.string(),
    v.check(() => false, 'The passwords differ.'),
  );
  const computed = v.pipe(
    v.string(),
    v.check(
      () => false,
      (issue) => `Bad: ${issue.input}`,
    ),
  );
  expect(errorsOf(constant, 'secret')[0]?.message).toBe('The passwords differ.');
  expect(errorsOf(computed, 'secret')[0]?.message).toBe('Is not valid.');
});

test('messages speak of the schema', () => {
  const schema = v.object({
    kind: v.picklist(['a', 'b']),
    count: v.pipe(v.number(), v.integer(), v.minValue(1)),
    names: v.pipe(v.array(v.string()), v.maxLength(1)),
    id: v.union([v.string(), v.number()]),
    gone: v.string(),
  });
  expect(errorsOf(schema, { kind: 'secret', count: 0.5, names: ['x', 'y'], id: true })).toEqual([
    { pointer: '/kind', code: 'invalid_type', message: 'Must be "a" or "b".' },
    { pointer: '/count', code: 'integer', message: 'Must be a whole number.' },
    { pointer: '/count', code: 'min_value', message: 'Must be at least 1.' },
    { pointer: '/names', code: 'max_length', message: 'Must have at most 1 items.' },
    { pointer: '/id', code: 'invalid_type', message: 'Must be string or number.' },
    { pointer: '/gone', code: 'required', message: 'Is required.' },
  ]);
});

test('pointers are escaped, reach through wrappers, and stop where only the client named the key', () => {
  interface Tree {
    readonly leaf: string;
    readonly 'a/b~c'?: Tree | undefined;
  }
  const Tree: v.GenericSchema<Tree> = v.object({
    leaf: v.string(),
    'a/b~c': v.optional(v.lazy(() => Tree)),
  });
  expect(errorsOf(Tree, { leaf: 'x', 'a/b~c': { leaf: 1 } })[0]?.pointer).toBe('/a~1b~0c/leaf');

  const variant = v.variant('type', [
    v.object({ type: v.literal('a'), list: v.tuple([v.string(), v.nullable(v.number())]) }),
    v.object({ type: v.literal('b'), map: v.record(v.string(), v.object({ n: v.number() })) }),
  ]);
  expect(errorsOf(variant, { type: 'a', list: ['x', 'y'] })[0]?.pointer).toBe('/list/1');
  expect(errorsOf(variant, { type: 'b', map: { secret: { n: 'x' } } })[0]?.pointer).toBe('/map');
});

test('whatever is submitted, no error repeats it', () => {
  const schema = v.strictObject({
    text: v.pipe(v.string(), v.minLength(3), v.email()),
    list: v.array(v.union([v.number(), v.boolean()])),
    map: v.record(v.pipe(v.string(), v.maxLength(2)), v.picklist(['x'])),
  });
  const secret = fc.integer({ min: 0, max: 0xffffff }).map((n) => `§${n}§`);
  const value = fc.oneof(
    secret,
    fc.array(secret),
    fc.dictionary(secret, secret),
    fc.constant(null),
  );
  const input = fc.oneof(
    value,
    fc.record({ text: value, list: value, map: value }),
    fc.dictionary(secret, value),
  );
  fc.assert(
    fc.property(input, (one) => {
      expect(JSON.stringify(errorsOf(schema, one))).not.toContain('§');
    }),
  );
});
