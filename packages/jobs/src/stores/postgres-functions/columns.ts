/** Columns that a job has wherever it is, and keeps when it moves. */
export const columns =
  'id, task, payload, priority, group_key, cost, attempts, max_attempts, enqueued_at, attributes, errors';

export const prefixed = (alias: string) =>
  columns
    .split(', ')
    .map((name) => `${alias}.${name}`)
    .join(', ');

// Payloads and results are text: JSON within JSON would be read by every function, and none can read a \\u0000.
export const typedColumns = `id uuid, task text, payload text, priority smallint, group_key text, cost integer, attempts smallint,
  max_attempts smallint, enqueued_at timestamptz, attributes json, errors jsonb`;

/** Of a failed attempt what is kept: beyond 25 of them the first and the latest. */
export const withError = (message: string) => `
  (case when jsonb_array_length(coalesce(errors, '[]')) >= 25 then errors - 1 else coalesce(errors, '[]') end)
    || jsonb_build_object('attempt', attempts, 'at', now_at, 'message', ${message})`;
