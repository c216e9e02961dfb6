import { type FieldError, ValidationFailed } from '@svc/core';
import type { MiddlewareHandler } from 'hono';
import { uniqueSymbol } from 'hono-openapi';
import type { BlankEnv } from 'hono/types';
import type { InferInput } from 'hono/validator';
import * as v from 'valibot';
import { type AnySchema, createFieldErrors } from '../field-errors.ts';
import { jsonSchemaOf } from '../openapi.ts';
import { readInput, type ValidatedTarget } from './request-input.ts';

export type { ValidatedTarget };

/** What a validated part adds to a route's types: what a client must send, and what the handler gets. */
export interface ValidatedInput<Target extends ValidatedTarget, Schema extends AnySchema> {
  in: undefined extends v.InferInput<Schema>
    ? { [Key in Target]?: InputOf<Schema, Target> }
    : { [Key in Target]: InputOf<Schema, Target> };
  out: { [Key in Target]: v.InferOutput<Schema> };
}

type InputOf<Schema extends AnySchema, Target extends ValidatedTarget> = Target extends 'json'
  ? v.InferInput<Schema>
  : InferInput<v.InferInput<Schema>, Target>;

/**
 * Lets a request through only when one part of it fits a valibot schema, and documents that part.
 * The handler reads the result with `c.req.valid(target)`. Bodies: UTF-8, at most 64 levels deep, no NUL,
 * no lone surrogate, no `__proto__`. Answers name the place of a fault and never the value.
 *
 * @throws {ValidationFailed | MalformedBody | MalformedUrl | UnsupportedMediaType}
 */
export function validated<const Target extends ValidatedTarget, Schema extends AnySchema>(
  target: Target,
  schema: Schema,
): MiddlewareHandler<BlankEnv, string, ValidatedInput<Target, Schema>> {
  const fieldErrors = createFieldErrors(schema);
  const middleware: MiddlewareHandler<BlankEnv, string, ValidatedInput<Target, Schema>> = async (
    c,
    next,
  ) => {
    const value = await readInput(c, target);
    refuse(fieldErrors.ofValue(value));
    const result = await parse(schema, value);
    if (!result.success) refuse(fieldErrors.ofIssues(result.issues));
    c.req.addValidatedData(target, result.output as object);
    await next();
  };
  return Object.assign(middleware, { [uniqueSymbol]: documentation(target, schema) });
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw new ValidationFailed(errors);
}

async function parse(schema: AnySchema, value: unknown) {
  try {
    return await v.safeParseAsync(schema, value);
  } catch (error) {
    // How built-in conversions refuse what they are given: `v.transform(BigInt)` throws, and quotes the value.
    if (!(error instanceof SyntaxError) && !(error instanceof RangeError)) throw error;
    throw new ValidationFailed([{ pointer: '', code: 'invalid', message: 'Is not valid.' }]);
  }
}

// What hono-openapi reads of a validator.
function documentation(target: ValidatedTarget, schema: AnySchema) {
  return {
    target,
    toOpenAPISchema: async () => ({ schema: jsonSchemaOf(schema, 'input'), components: undefined }),
    ...(target === 'form' ? { options: { media: 'application/x-www-form-urlencoded' } } : {}),
  };
}
