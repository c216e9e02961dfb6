/** What a bucket's last measurement of a trace was. */
export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly value: number;
  readonly atMs: number;
}

/** `a="1",b="2"`, escaped as both formats want it. */
export const labelText = (names: readonly string[], values: readonly string[]): string =>
  names.map((name, at) => `${name}="${escapeValue(values[at] ?? '')}"`).join(',');

const special = /[\\"\n]/g;
const escapeValue = (value: string) =>
  value.toWellFormed().replaceAll(special, (found) => (found === '\n' ? '\\n' : `\\${found}`));

/** In help texts quotes stand as they are in one format and escaped in the other. */
export const escapeHelp = (text: string, openMetrics: boolean): string =>
  text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('"', openMetrics ? '\\"' : '"');

export const formatNumber = (value: number): string =>
  value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value);

/** OpenMetrics 1.0, "Exemplars"; at most 128 characters of labels. */
export const exemplarText = ({ traceId, spanId, value, atMs }: Exemplar): string =>
  ` # {trace_id="${traceId}",span_id="${spanId}"} ${formatNumber(value)} ${atMs / 1000}`;
