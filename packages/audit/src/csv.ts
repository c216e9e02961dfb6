import type { AuditEntry } from './search.ts';

const columns: readonly (readonly [string, (entry: AuditEntry) => string | number | null])[] = [
  ['tenant_id', (entry) => entry.tenantId],
  ['seq', (entry) => entry.seq],
  ['at', (entry) => entry.at.toISOString()],
  ['sealed_at', (entry) => entry.sealedAt.toISOString()],
  ['type', (entry) => entry.type],
  ['outcome', (entry) => entry.outcome],
  ['actor_type', (entry) => entry.actor.type],
  ['actor_id', (entry) => entry.actor.id],
  ['actor_reason', (entry) => entry.actor.reason],
  ['target_type', (entry) => entry.target?.type ?? null],
  ['target_id', (entry) => entry.target?.id ?? null],
  ['request_id', (entry) => entry.requestId],
  ['details', (entry) => JSON.stringify(entry.details)],
  ['personal', (entry) => JSON.stringify(entry.personal)],
  ['id', (entry) => entry.id],
  ['hash', (entry) => entry.hash],
];

/** The first line (RFC 4180). */
export const csvHeader: string = csvLine(columns.map(([name]) => name));

export function toCsvLine(entry: AuditEntry): string {
  return csvLine(columns.map(([, read]) => read(entry)));
}

function csvLine(cells: readonly (string | number | null)[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

/**
 * A quoted cell that no spreadsheet takes for a formula: one that begins like one gets an apostrophe in front
 * (OWASP, CSV Injection; the full-width forms too, which some programs read as the plain ones).
 */
export function csvCell(value: string | number | null): string {
  if (value === null) return '""';
  if (typeof value === 'number') return `"${value}"`;
  const safe = /^[\s\u200B\uFEFF]*[=+\-@\t\r\n|%\uFF1D\uFF0B\uFF0D\uFF20]/u.test(value)
    ? `'${value}`
    : value;
  return `"${safe.replaceAll('"', '""')}"`;
}
