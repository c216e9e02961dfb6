import type { FieldError } from '@svc/core';
import type * as v from 'valibot';
import { messageOf } from './field-messages.ts';
import { findUnsafeValues } from './unsafe-values.ts';

/** A valibot schema, synchronous or not. */
export type AnySchema =
  | v.BaseSchema<unknown, unknown, v.BaseIssue<unknown>>
  | v.BaseSchemaAsync<unknown, unknown, v.BaseIssue<unknown>>;

/** More than these help nobody, and an answer must not grow with the attack. */
const maxErrors = 50;

/** Turns faults into field errors that repeat nothing of what was submitted. */
export interface FieldErrors {
  /** The faults no schema finds: NUL, lone surrogates, inherited names, a list where an object belongs. */
  ofValue(value: unknown): FieldError[];
  /** The faults that the schema found. */
  ofIssues(issues: readonly v.BaseIssue<unknown>[]): FieldError[];
}

/** Field errors for the input of one schema; its own messages are used where they are constant texts. */
export function createFieldErrors(schema: AnySchema): FieldErrors {
  const messages = constantMessages(schema);
  return {
    ofValue(value) {
      const errors: FieldError[] = findUnsafeValues(value, maxErrors).map(
        ({ path, code, message }) => ({
          pointer: pointerTo(schema, path),
          code,
          message,
        }),
      );
      for (const path of listsForObjects(value, expand(schema as Node))) {
        if (errors.length === maxErrors) break;
        errors.push({
          pointer: pointerTo(schema, path),
          code: 'invalid_type',
          message: 'Must be an object.',
        });
      }
      return errors;
    },
    ofIssues: (issues) =>
      issues.slice(0, maxErrors).map((issue) => {
        const pointer = pointerTo(
          schema,
          (issue.path ?? []).map((item) => item.key),
        );
        const code = codeOf(issue);
        return {
          pointer,
          code,
          message: messages.has(issue.message) ? issue.message : messageOf(issue, code),
        };
      }),
  };
}

function codeOf(issue: v.BaseIssue<unknown>): string {
  const last = issue.path?.at(-1);
  if (issue.type === 'strict_object' || issue.type === 'object' || issue.type === 'loose_object') {
    if (issue.expected === 'never') return 'unknown_field';
    if (last?.origin === 'key') return 'required';
  }
  if (issue.input === undefined && issue.kind === 'schema') return 'required';
  return issue.kind === 'schema' ? 'invalid_type' : issue.type;
}

/**
 * The JSON Pointer (RFC 6901) to a place, as far as the schema itself names the keys on the way: a key
 * that only the client named is a submitted value.
 */
function pointerTo(root: AnySchema, path: readonly unknown[]): string {
  let schemas: readonly Node[] = expand(root as Node);
  let pointer = '';
  for (const key of path) {
    schemas = schemas.flatMap((schema) => childrenAt(schema, key));
    if (schemas.length === 0) break;
    pointer += `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
  }
  return pointer;
}

/** The properties by which valibot's schemas hold others. */
interface Node {
  readonly type?: string;
  readonly entries?: Readonly<Record<string, Node>>;
  /** Of a record. */
  readonly value?: Node;
  readonly item?: Node;
  readonly items?: readonly Node[];
  readonly rest?: Node;
  readonly wrapped?: Node;
  readonly pipe?: readonly Node[];
  readonly options?: readonly unknown[];
  readonly getter?: (input: unknown) => Node;
}

function childrenAt(schema: Node, key: unknown): readonly Node[] {
  if (typeof key === 'number') {
    const item =
      schema.item ?? schema.items?.[key] ?? (schema.items === undefined ? undefined : schema.rest);
    return item === undefined ? [] : expand(item);
  }
  if (typeof key !== 'string' || schema.entries === undefined) return [];
  const entry = Object.hasOwn(schema.entries, key) ? schema.entries[key] : undefined;
  return entry === undefined ? [] : expand(entry);
}

/** Recursion that never reaches anything new ends here. */
const maxWrappers = 16;

// A schema and those that it only wraps: pipes, optionals, unions, recursion.
function expand(schema: Node, depth = 0): readonly Node[] {
  if (depth > maxWrappers) return [];
  const inner: Node[] = [];
  if (schema.wrapped !== undefined) inner.push(schema.wrapped);
  if (schema.pipe?.[0] !== undefined) inner.push(schema.pipe[0]);
  if (schema.type === 'lazy' && schema.getter !== undefined) inner.push(schema.getter(undefined));
  for (const option of schema.options ?? []) {
    if (typeof option === 'object' && option !== null) inner.push(option);
  }
  return [schema, ...inner.flatMap((one) => expand(one, depth + 1))];
}

// Valibot takes a list for an object, and for one without required entries finds nothing wrong with it.
function* listsForObjects(
  value: unknown,
  schemas: readonly Node[],
  path: readonly (string | number)[] = [],
): Generator<readonly (string | number)[]> {
  if (typeof value !== 'object' || value === null || schemas.length === 0) return;
  const isList = Array.isArray(value);
  const takesObject = schemas.some((one) => one.entries !== undefined || one.type === 'record');
  const takesList = schemas.some(
    (one) => one.item !== undefined || one.items !== undefined || openTypes.has(one.type),
  );
  if (isList && takesObject && !takesList) yield path;
  else {
    for (const [name, child] of Object.entries(value)) {
      const key = isList ? Number(name) : name;
      yield* listsForObjects(
        child,
        schemas.flatMap((one) => [...childrenAt(one, key), ...recordValues(one)]),
        [...path, key],
      );
    }
  }
}

// For finding, not for naming: the keys of a record are the client's.
function recordValues(schema: Node): readonly Node[] {
  return schema.type === 'record' && schema.value !== undefined ? expand(schema.value) : [];
}

const openTypes: ReadonlySet<string | undefined> = new Set([
  'any',
  'unknown',
  'custom',
  'instance',
]);

// A message that is a function may quote the input, so only texts that stand in the schema are trusted.
function constantMessages(schema: AnySchema): ReadonlySet<string> {
  const messages = new Set<string>();
  const seen = new Set<unknown>();
  const open: unknown[] = [schema];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node !== 'object' || node === null || seen.has(node)) continue;
    seen.add(node);
    if ('message' in node && typeof node.message === 'string') messages.add(node.message);
    open.push(...Object.values(node).filter((value) => value !== undefined));
  }
  return messages;
}
