import type { FieldError } from '@svc/core';
import * as v from 'valibot';

// What each valibot action demands, in words of our own: valibot's messages contain the received value.
const demands: Record<string, (requirement: unknown) => string> = {
  min_length: (n) => `must have at least ${n} characters or items`,
  max_length: (n) => `must have at most ${n} characters or items`,
  length: (n) => `must have exactly ${n} characters or items`,
  min_value: (n) => `must be at least ${n}`,
  max_value: (n) => `must be at most ${n}`,
  non_empty: () => 'must not be empty',
  email: () => 'must be an e-mail address',
  rfc_email: () => 'must be an e-mail address',
  url: () => 'must be a URL',
  uuid: () => 'must be a UUID',
  integer: () => 'must be a whole number',
  safe_integer: () => 'must be a whole number',
  iso_timestamp: () => 'must be a timestamp (RFC 3339)',
  iso_date: () => 'must be a date (YYYY-MM-DD)',
};

/** The issues of a valibot schema as faults by field, without any submitted value or unknown key. */
export function toFieldErrors(issues: readonly v.BaseIssue<unknown>[]): FieldError[] {
  return issues.map((issue) => {
    const unknownField = issue.type === 'strict_object' && issue.expected === 'never';
    const missing = issue.received === 'undefined' && issue.kind === 'schema';
    const path = (issue.path ?? []).map((item) => String(item.key));
    // The last key of an unknown field is the client's text: point at the object that has it.
    const pointer = toPointer(unknownField ? path.slice(0, -1) : path);
    if (unknownField) return { pointer, code: 'unknown_field', message: 'has a field that is not known' };
    if (missing) return { pointer, code: 'required', message: 'is required' };
    if (issue.kind === 'schema') return { pointer, code: 'wrong_type', message: `must be ${typeName(issue)}` };
    const demand = demands[issue.type]?.(issue.requirement) ?? 'does not have the expected form';
    return { pointer, code: issue.type, message: demand };
  });
}

/** A JSON Pointer (RFC 6901). */
export function toPointer(path: readonly string[]): string {
  return path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function typeName(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'picklist' || issue.type === 'literal' || issue.type === 'enum') return `one of ${issue.expected}`;
  const name = issue.type.replace('strict_', '').replace('loose_', '');
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`;
}
