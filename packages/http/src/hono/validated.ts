import { ValidationFailed } from '@svc/core';
import type { Context, MiddlewareHandler, ValidationTargets } from 'hono';
import * as v from 'valibot';
import { MalformedBody, UnsupportedMediaType } from '../failures.ts';
import { toFieldErrors } from '../field-errors.ts';
import { assertStorable, parseJsonBody } from '../json-body.ts';
import { describe, type Schema, type Target } from './description.ts';

// The form that Hono's client types expect; `P` must stay `string`, or paths lose their parameters.
type Validated<T extends Target, S extends Schema> = MiddlewareHandler<
  // oxlint-disable-next-line no-empty-object-type -- an environment with nothing of its own
  {},
  string,
  { in: { [K in T]: InputOf<T, v.InferInput<S>> }; out: { [K in T]: v.InferOutput<S> } }
>;
type InputOf<T extends Target, Input> = T extends 'json' ? Input : Input extends ValidationTargets[T] ? Input : never;

/**
 * Validates a part of the request; `c.req.valid(target)` is what came out of the schema. The answer to
 * what does not fit names fields and demands, and never a submitted value.
 *
 * @throws {ValidationFailed} @throws {MalformedBody} @throws {UnsupportedMediaType}
 */
export function validated<const T extends Target, const S extends Schema>(target: T, schema: S): Validated<T, S> {
  const middleware: MiddlewareHandler = async function validated(c, next) {
    const result = await v.safeParseAsync(schema, await readers[target](c));
    if (!result.success) throw new ValidationFailed(toFieldErrors(result.issues));
    c.req.addValidatedData(target, result.output as object);
    await next();
  };
  return describe(middleware, { validates: { target, schema } }) as unknown as Validated<T, S>;
}

const readers: Record<Target, (c: Context) => unknown> = {
  json: readJson,
  form: readForm,
  query: (c) => storable(single(c.req.queries())),
  param: (c) => storable(c.req.param()),
  header: (c) => c.req.header(),
};

async function readJson(c: Context): Promise<unknown> {
  assertContentType(c, /^application\/(?:[\w.+-]+\+)?json$/);
  return parseJsonBody(new Uint8Array(await c.req.arrayBuffer()));
}

async function readForm(c: Context): Promise<unknown> {
  assertContentType(c, /^application\/x-www-form-urlencoded$/);
  const form = new URLSearchParams(new TextDecoder().decode(await c.req.arrayBuffer()));
  return storable(single(Object.fromEntries([...new Set(form.keys())].map((name) => [name, form.getAll(name)]))));
}

/** @throws {UnsupportedMediaType} */
function assertContentType(c: Context, expected: RegExp): void {
  const type = c.req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (!expected.test(type)) throw new UnsupportedMediaType();
}

// A name that is given twice stays a list, which a schema for one value refuses.
const single = (values: Record<string, string[]>) =>
  Object.fromEntries(Object.entries(values).map(([name, all]) => [name, all.length === 1 ? all[0] : all]));

function storable<Value>(value: Value): Value {
  try {
    assertStorable(value);
  } catch (error) {
    throw error instanceof MalformedBody ? new ValidationFailed([{ pointer: '', code: 'wrong_characters', message: 'has a character that is not allowed' }]) : error;
  }
  return value;
}
