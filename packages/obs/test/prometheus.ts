import { spawnSync } from 'node:child_process';
import type { Metrics, MetricsFormat } from '@svc/obs';

/** Whether Debian's package prometheus is installed; CI installs it. */
export const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

/** What a scrape would get. */
export async function textOf(metrics: Metrics, format?: MetricsFormat): Promise<string> {
  const slices = await metrics.scrape(format);
  return Buffer.concat(slices).toString('utf8');
}

/** The samples of one metric, as `labels` to value. */
export async function samplesOf(metrics: Metrics, name: string): Promise<Record<string, number>> {
  const lines = (await textOf(metrics)).split('\n').filter((line) => /^\w/.test(line));
  const found = lines.flatMap((line) => {
    const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    return match?.[1] === name ? [[match[2] ?? '', Number(match[3])] as const] : [];
  });
  return Object.fromEntries(found);
}
