import type * as v from 'valibot';

/** A sentence on an issue, made from what the schema says; valibot's own sentences quote the input. */
export function messageOf(issue: v.BaseIssue<unknown>, code: string): string {
  if (code === 'unknown_field') return 'Has a field that is not known.';
  if (code === 'required') return 'Is required.';
  if (issue.kind === 'schema') return `Must be ${nameOfType(issue.expected)}.`;
  const sentence = sentences[issue.type];
  return sentence === undefined ? 'Is not valid.' : sentence(boundOf(issue.requirement), issue);
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  bigint: 'a whole number',
  boolean: 'true or false',
  Object: 'an object',
  Array: 'a list',
  Date: 'a date',
  null: 'null',
};

function nameOfType(expected: string | null): string {
  if (expected === null) return 'valid';
  return typeNames[expected] ?? expected.replace(/^\((.*)\)$/, '$1').replaceAll(' | ', ' or ');
}

function boundOf(requirement: unknown): string {
  if (requirement instanceof Date) return requirement.toISOString();
  const isPlain = ['string', 'number', 'bigint'].includes(typeof requirement);
  return isPlain ? String(requirement) : 'the bound';
}

const unitOf = (issue: v.BaseIssue<unknown>) =>
  Array.isArray(issue.input) ? 'items' : 'characters';

const sentences: Readonly<
  Record<string, ((bound: string, issue: v.BaseIssue<unknown>) => string) | undefined>
> = {
  min_length: (bound, issue) => `Must have at least ${bound} ${unitOf(issue)}.`,
  max_length: (bound, issue) => `Must have at most ${bound} ${unitOf(issue)}.`,
  length: (bound, issue) => `Must have exactly ${bound} ${unitOf(issue)}.`,
  non_empty: () => 'Must not be empty.',
  min_bytes: (bound) => `Must have at least ${bound} bytes.`,
  max_bytes: (bound) => `Must have at most ${bound} bytes.`,
  min_value: (bound) => `Must be at least ${bound}.`,
  max_value: (bound) => `Must be at most ${bound}.`,
  gt_value: (bound) => `Must be greater than ${bound}.`,
  lt_value: (bound) => `Must be less than ${bound}.`,
  integer: () => 'Must be a whole number.',
  safe_integer: () => 'Must be a whole number.',
  finite: () => 'Must be a finite number.',
  multiple_of: (bound) => `Must be a multiple of ${bound}.`,
  email: () => 'Must be an e-mail address.',
  url: () => 'Must be a URL.',
  uuid: () => 'Must be a UUID.',
  iso_date: () => 'Must be a date, like 2026-01-31.',
  iso_timestamp: () => 'Must be a time, like 2026-01-31T12:00:00Z.',
  regex: () => 'Does not have the required form.',
};
