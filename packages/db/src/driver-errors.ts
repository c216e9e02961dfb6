import { DatabaseUnavailable, QueryFailed } from './failures.ts';

export interface ConstraintViolation {
  readonly kind: 'unique' | 'foreign_key' | 'check' | 'not_null' | 'exclusion';
  /** Its name; for `not_null` the column's. */
  readonly constraint: string;
}

const kinds: Readonly<Record<string, ConstraintViolation['kind']>> = {
  '23502': 'not_null',
  '23503': 'foreign_key',
  '23505': 'unique',
  '23514': 'check',
  '23P01': 'exclusion',
};

/** Which constraint a statement broke, the same on both engines; undefined when the error is another. */
export function constraintOf(error: unknown): ConstraintViolation | undefined {
  if (!(error instanceof Error) || error.name !== 'QueryFailed') return undefined;
  const { code, constraint, column } = (error as QueryFailed).fault;
  const kind = kinds[code];
  if (kind === undefined) return undefined;
  return { kind, constraint: (kind === 'not_null' ? column : constraint) ?? constraint ?? '' };
}

interface RawError extends Error {
  readonly code?: unknown;
  readonly severity?: unknown;
  readonly [field: string]: unknown;
}

// Shutdown, crash, start-up, idle session cut (class 57), connection exceptions (08), too many connections.
const unavailableStates = /^(?:57P01|57P02|57P03|57P05|53300|08...)$/;
const socketErrors =
  /^(?:E[A-Z_]+|CONNECTION_CLOSED|CONNECTION_ENDED|CONNECTION_DESTROYED|CONNECT_TIMEOUT)$/;

/**
 * What a driver threw, in our words and without values: `detail`, `where`, `query`, `parameters` are dropped, and so
 * is the value that messages of class 22 (data exceptions) quote.
 */
export function cleanError(error: unknown): Error {
  if (!(error instanceof Error))
    return new Error('The database driver threw something that is no error.');
  const raw = error as RawError;
  const code = typeof raw.code === 'string' ? raw.code : '';
  if (typeof raw.severity !== 'string') {
    if (!socketErrors.test(code)) return cleanUnknown(raw);
    return new DatabaseUnavailable(undefined, { cause: new Error(code) });
  }
  const message = code.startsWith('22') ? raw.message.replace(/".*"/s, '"…"') : raw.message;
  if (unavailableStates.test(code))
    return new DatabaseUnavailable(undefined, { cause: new Error(`${code} ${message}`) });
  const field = (...names: string[]) =>
    names.map((name) => raw[name]).find((value): value is string => typeof value === 'string');
  return new QueryFailed(message, {
    code,
    severity: raw.severity,
    schema: field('schema_name', 'schema'),
    table: field('table_name', 'table'),
    column: field('column_name', 'column'),
    constraint: field('constraint_name', 'constraint'),
  });
}

/** Whether the session cannot be used after this error: it has ended, or its driver lost the thread. */
export function endsSession(error: unknown): boolean {
  const severity = (error as RawError | null)?.severity;
  return severity === undefined || severity === 'FATAL' || severity === 'PANIC';
}

// A TypeError is ours or the caller's (a bigint in JSON); everything else keeps its message, never its fields.
function cleanUnknown(raw: RawError): Error {
  return raw instanceof TypeError ? new TypeError(raw.message) : new Error(raw.message);
}
