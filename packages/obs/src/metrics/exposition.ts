import type { Clock } from '@svc/core';
import type { Family } from './families.ts';
import { escapeHelp } from './text.ts';

/** Prometheus text 0.0.4, or OpenMetrics 1.0 with exemplars. */
export type MetricsFormat = 'text' | 'openmetrics';

export const contentTypes: Readonly<Record<MetricsFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** About 3 ms of work on a slow machine; prom-client makes all at once, 415 ms for 20 000 histograms. */
export const linesPerSlice = 2000;

/** The text of every family, a slice at a time; between two slices others have their turn. */
export async function render(
  families: readonly Family[],
  format: MetricsFormat,
  clock: Pick<Clock, 'sleep'>,
): Promise<readonly Uint8Array[]> {
  const encoder = new TextEncoder();
  const slices: Uint8Array[] = [];
  let lines: string[] = [];
  const cut = () => {
    if (lines.length === 0) return;
    slices.push(encoder.encode(`${lines.join('\n')}\n`));
    lines = [];
  };
  const openMetrics = format === 'openmetrics';
  for (const family of families) {
    // Without a series there is nothing to say, not even its type.
    if (family.seriesCount === 0) continue;
    lines.push(...head(family, openMetrics));
    for (const group of family.lines(openMetrics)) {
      for (const line of group) lines.push(line);
      if (lines.length < linesPerSlice) continue;
      cut();
      await clock.sleep(0);
    }
  }
  if (openMetrics) lines.push('# EOF');
  cut();
  return slices;
}

const units = /_(seconds|bytes|ratio)$/;

function head({ name, help, type }: Family, openMetrics: boolean): string[] {
  // OpenMetrics calls a counter by the name without what its sample ends with.
  const called = openMetrics && type === 'counter' ? name.replace(/_total$/, '') : name;
  const unit = openMetrics ? units.exec(called)?.[1] : undefined;
  return [
    `# HELP ${called} ${escapeHelp(help, openMetrics)}`,
    `# TYPE ${called} ${!openMetrics && type === 'unknown' ? 'untyped' : type}`,
    ...(unit === undefined ? [] : [`# UNIT ${called} ${unit}`]),
  ];
}
