import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client';
import type { Family } from './metrics/families.ts';
import type { MetricSource } from './metrics/registry.ts';
import { formatNumber, labelText } from './metrics/text.ts';

interface Sample extends MetricValue<string> {
  /** Of a histogram: which of its lines this is. */
  readonly metricName?: string;
}

/** The metrics of a prom-client registry, for `metrics.include`: one `/metrics` for what an app has already. Their exemplars are left out. */
export function promClientSource(registry: Pick<Registry, 'getMetricsAsJSON'>): MetricSource {
  return {
    async families() {
      const found = await registry.getMetricsAsJSON();
      return found.map((each) => toFamily(each as MetricObjectWithValues<Sample>));
    },
  };
}

function toFamily({ name, help, type, values }: MetricObjectWithValues<Sample>): Family {
  // prom-client itself lets a counter have any name, which OpenMetrics does not.
  const suffix = String(type) === 'counter' && !name.endsWith('_total') ? '_total' : '';
  return {
    name: `${name}${suffix}`,
    help,
    type: String(type) as Family['type'],
    seriesCount: values.length,
    *lines() {
      for (const { metricName, labels, value } of values) {
        const entries = Object.entries(labels).map(([key, of]) => [key, boundOf(key, of)] as const);
        const text = labelText(
          entries.map(([key]) => key),
          entries.map(([, of]) => of),
        );
        const called = metricName ?? `${name}${suffix}`;
        yield [`${called}${text === '' ? '' : `{${text}}`} ${formatNumber(value)}`];
      }
    },
  };
}

const boundOf = (key: string, value: string | number | undefined): string =>
  (key === 'le' || key === 'quantile') && typeof value === 'number' && Number.isInteger(value)
    ? `${value}.0`
    : String(value ?? '');
