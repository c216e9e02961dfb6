import { type Clock, type Logger, silentLogger, systemClock } from '@svc/core';
import {
  counterFamily,
  gaugeFamily,
  histogramFamily,
  type Counter,
  type Family,
  type Gauge,
  type Histogram,
} from './families.ts';
import { type MetricsFormat, render } from './exposition.ts';

export interface MetricOptions<Label extends string = never> {
  /** With its unit and, of a counter, `_total` at the end: `http_server_request_duration_seconds`. */
  readonly name: string;
  /** One sentence for people. */
  readonly help: string;
  /** The names of its labels. @default none */
  readonly labels?: readonly Label[];
  /** The most series it may have; what comes after goes to one series whose labels are all `__overflow__`. @default that of the registry */
  readonly maxSeries?: number;
}

export interface HistogramOptions<Label extends string = never> extends MetricOptions<Label> {
  /** Upper bounds, ascending, without infinity. @default those of the HTTP semantic conventions, in seconds */
  readonly buckets?: readonly number[];
}

/** What metrics of another library can be read by, such as a registry of prom-client. */
export interface MetricSource {
  /** What it has now. */
  families(): Promise<readonly Family[]>;
}

/** A registry of metrics. Two in one process know nothing of each other. */
export interface Metrics {
  /** @throws {TypeError} on a name that is taken or not one of Prometheus */
  counter<Label extends string = never>(options: MetricOptions<Label>): Counter<Label>;
  /** @throws {TypeError} on a name that is taken or not one of Prometheus */
  gauge<Label extends string = never>(options: MetricOptions<Label>): Gauge<Label>;
  /** @throws {TypeError} on a name that is taken or not one of Prometheus, or on bounds that do not ascend */
  histogram<Label extends string = never>(options: HistogramOptions<Label>): Histogram<Label>;
  /** Calls `collect` before each scrape, to set what is only looked up then. Gives back what ends it. */
  beforeScrape(collect: () => void | Promise<void>): () => void;
  /** Adds the metrics of another library to each scrape. */
  include(source: MetricSource): void;
  /** Of every metric that was defined. */
  readonly names: readonly string[];
  /** How many series there are. */
  readonly seriesCount: number;
  /** Everything there is as text, made in slices that let others go between; those who ask at once share one. */
  scrape(format?: MetricsFormat): Promise<readonly Uint8Array[]>;
}

export interface MetricsOptions {
  /** The most series of one metric. @default 2000 */
  maxSeries?: number;
  /** @default systemClock */
  clock?: Clock;
  /** @default silentLogger */
  logger?: Logger;
}

/** Of the OpenTelemetry semantic conventions for HTTP, in seconds. */
export const durationBuckets: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelName = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Makes an empty registry; it has `obs_metric_overflow_total` alone. */
export function createMetrics({
  maxSeries = 2000,
  clock = systemClock,
  logger = silentLogger,
}: MetricsOptions = {}): Metrics {
  const families = new Map<string, Family>();
  const sources: MetricSource[] = [];
  const collects = new Set<() => void | Promise<void>>();
  const underWay = new Map<MetricsFormat, Promise<readonly Uint8Array[]>>();

  const onOverflow = (name: string) => (isFirst: boolean) => {
    overflows.with({ metric: name }).add();
    if (isFirst) logger.warn({ metric: name }, 'a metric has too many series: the rest share one');
  };
  const shapeOf = <Label extends string>(options: MetricOptions<Label>) => {
    const { name, help, labels = [] } = options;
    if (!metricName.test(name)) throw new TypeError(`not a name of a metric: ${name}`);
    if (families.has(name)) throw new TypeError(`there is a metric ${name} already`);
    for (const label of labels)
      if (!labelName.test(label) || label === 'le') throw new TypeError(`not a label: ${label}`);
    const most = options.maxSeries ?? maxSeries;
    return { name, help, labels, maxSeries: most, clock, onOverflow: onOverflow(name) };
  };
  const keep = <Kept extends { readonly family: Family }>(kept: Kept): Kept => {
    families.set(kept.family.name, kept.family);
    return kept;
  };
  const counter = <Label extends string = never>(options: MetricOptions<Label>) => {
    if (!options.name.endsWith('_total')) throw new TypeError('a counter is called …_total');
    return keep(counterFamily<Label>(shapeOf(options)));
  };
  const overflows: Counter<'metric'> = counter({
    name: 'obs_metric_overflow_total',
    help: 'Measurements that went to the overflow series of a metric.',
    labels: ['metric'],
  });

  const collect = async () => {
    for (const each of collects) {
      try {
        await each();
      } catch (error) {
        logger.warn({ err: error }, 'a metric could not be collected');
      }
    }
  };
  const foreign = async () => {
    const found: Family[] = [];
    for (const source of sources)
      for (const family of await source.families())
        if (families.has(family.name))
          logger.debug({ metric: family.name }, 'a foreign metric has a name that is taken');
        else found.push(family);
    return found;
  };
  const scrape = async (format: MetricsFormat) => {
    await collect();
    return render([...families.values(), ...(await foreign())], format, clock);
  };

  return {
    counter,
    gauge: <Label extends string = never>(options: MetricOptions<Label>) =>
      keep(gaugeFamily<Label>(shapeOf(options))),
    histogram<Label extends string = never>(options: HistogramOptions<Label>) {
      const { buckets = durationBuckets } = options;
      if (
        buckets.some((bound, at) => !(bound > (buckets[at - 1] ?? -Infinity)) || bound === Infinity)
      )
        throw new TypeError('buckets are ascending bounds, without infinity');
      return keep(histogramFamily<Label>({ ...shapeOf(options), buckets }));
    },
    beforeScrape(each) {
      collects.add(each);
      return () => void collects.delete(each);
    },
    include: (source) => void sources.push(source),
    get names() {
      return [...families.keys()];
    },
    get seriesCount() {
      return [...families.values()].reduce((sum, { seriesCount }) => sum + seriesCount, 0);
    },
    scrape(format = 'text') {
      const shared = underWay.get(format);
      if (shared !== undefined) return shared;
      const made = scrape(format).finally(() => underWay.delete(format));
      underWay.set(format, made);
      return made;
    },
  };
}
