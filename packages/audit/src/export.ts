import type { AuditContext } from './context.ts';
import { csvHeader, toCsvLine } from './csv.ts';
import { assertTenantId } from './event.ts';
import { logLines } from './log-lines.ts';
import { sealToRead } from './seal.ts';
import {
  type AuditFilter,
  findEntries,
  type FoundEntry,
  type Position,
  toEntry,
} from './search.ts';

export interface AuditExport extends AuditFilter {
  /**
   * `ndjson` of whole chains can be verified offline; with any condition beside the tenant it is a selection, which
   * cannot. `csv` is for reading.
   */
  readonly format: 'ndjson' | 'csv';
}

const rowsAtOnce = 1000;

/** The log as chunks of text, read as they are taken. @throws {PurgedMeanwhile} */
export async function* exportLog(
  context: AuditContext,
  { format, ...filter }: AuditExport,
): AsyncGenerator<string> {
  const { tenantId, ...conditions } = filter;
  if (tenantId !== 'every') assertTenantId(tenantId);
  if (format === 'csv') {
    yield csvHeader;
    for await (const rows of pages(context, filter))
      yield rows.map((row) => toCsvLine(toEntry(row))).join('');
  } else if (Object.values(conditions).some((condition) => condition !== undefined)) {
    for await (const rows of pages(context, filter)) yield rows.map(toLine).join('');
  } else yield* logLines(context.db, tenantId, { seal: () => sealToRead(context) });
}

async function* pages(context: AuditContext, filter: AuditFilter): AsyncGenerator<FoundEntry[]> {
  let before: Position | undefined;
  for (;;) {
    const rows = await findEntries(context.db, filter, rowsAtOnce, before);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    const { at, id } = toEntry(last);
    before = { atMs: at.getTime(), id };
  }
}

const toLine = ({ body, hash, fields }: FoundEntry) =>
  `{"entry":${body},"hash":"${hash}"${fields === null ? '' : `,"personal":${JSON.stringify(fields)}`}}\n`;
