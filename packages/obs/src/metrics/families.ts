import type { Clock } from '@svc/core';
import { type Exemplar, exemplarText, formatNumber, labelText } from './text.ts';

export type Labels<Label extends string> = Readonly<Record<Label, string>>;

/** One metric, as a scrape sees it. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown';
  readonly seriesCount: number;
  /** The lines of each series; exemplars are of OpenMetrics alone. */
  lines(withExemplars: boolean): Iterable<readonly string[]>;
}

/** The trace that a measurement was made in; it is kept where it was sampled. */
export interface MeasuredIn {
  readonly traceId: string;
  readonly spanId: string;
}

export interface CounterSeries {
  /** @throws {TypeError} below 0 */
  add(by?: number): void;
}
export interface GaugeSeries {
  set(value: number): void;
  add(by: number): void;
}
export interface HistogramSeries {
  observe(value: number, measuredIn?: MeasuredIn): void;
}

/** A metric whose series are found by their labels; keep what `with` gives where the same is measured often. */
export interface Metric<Series, Label extends string> {
  with(labels: Labels<Label>): Series;
  /** Forgets every series. */
  clear(): void;
  readonly family: Family;
}
export type Counter<Label extends string = never> = Metric<CounterSeries, Label>;
export type Gauge<Label extends string = never> = Metric<GaugeSeries, Label>;
export type Histogram<Label extends string = never> = Metric<HistogramSeries, Label>;

export interface FamilyOptions<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Label[];
  readonly maxSeries: number;
  readonly clock: Clock;
  /** Called for each measurement that has no series of its own. */
  readonly onOverflow: (isFirst: boolean) => void;
}

const overflowValue = '__overflow__';

interface Held<Series> {
  readonly series: Series;
  lines(withExemplars: boolean): readonly string[];
}

function metricOf<Series, Label extends string>(
  { name, help, labels, maxSeries, onOverflow }: FamilyOptions<Label>,
  type: Family['type'],
  open: (labels: string) => Held<Series>,
): Metric<Series, Label> {
  const held = new Map<string, Held<Series>>();
  let overflow: Held<Series> | undefined;

  const openWith = (values: readonly string[]) => open(labelText(labels, values));
  const spill = () => {
    const isFirst = overflow === undefined;
    overflow ??= openWith(labels.map(() => overflowValue));
    onOverflow(isFirst);
    return overflow.series;
  };
  return {
    with(given) {
      let key = '';
      // The length before each value: no two lists of values are one key.
      for (const label of labels) key += `${given[label].length}:${given[label]}`;
      const known = held.get(key);
      if (known !== undefined) return known.series;
      if (held.size >= maxSeries) return spill();
      const made = openWith(labels.map((label) => given[label]));
      held.set(key, made);
      return made.series;
    },
    clear() {
      held.clear();
      overflow = undefined;
    },
    family: {
      name,
      help,
      type,
      get seriesCount() {
        return held.size + (overflow === undefined ? 0 : 1);
      },
      *lines(withExemplars) {
        for (const each of held.values()) yield each.lines(withExemplars);
        if (overflow !== undefined) yield overflow.lines(withExemplars);
      },
    },
  };
}

const sample = (name: string, labels: string, value: number) =>
  `${name}${labels === '' ? '' : `{${labels}}`} ${formatNumber(value)}`;

export function counterFamily<Label extends string>(options: FamilyOptions<Label>): Counter<Label> {
  return metricOf(options, 'counter', (labels) => {
    let value = 0;
    const add = (by = 1) => {
      if (!(by >= 0)) throw new TypeError('a counter only grows');
      value += by;
    };
    return { series: { add }, lines: () => [sample(options.name, labels, value)] };
  });
}

export function gaugeFamily<Label extends string>(options: FamilyOptions<Label>): Gauge<Label> {
  return metricOf(options, 'gauge', (labels) => {
    let value = 0;
    const series: GaugeSeries = {
      set: (next) => void (value = next),
      add: (by) => void (value += by),
    };
    return { series, lines: () => [sample(options.name, labels, value)] };
  });
}

export function histogramFamily<Label extends string>(
  options: FamilyOptions<Label> & { readonly buckets: readonly number[] },
): Histogram<Label> {
  const { name, buckets, clock } = options;
  const bounds = [...buckets.map(formatBound), '+Inf'];
  return metricOf(options, 'histogram', (labels) => {
    const counts = new Float64Array(bounds.length);
    let exemplars: (Exemplar | undefined)[] | undefined;
    let sum = 0;
    const comma = labels === '' ? '' : `${labels},`;
    const observe = (value: number, measuredIn?: MeasuredIn) => {
      if (Number.isNaN(value)) return;
      let at = 0;
      while (at < buckets.length && value > (buckets[at] as number)) at += 1;
      counts[at] = (counts[at] as number) + 1;
      sum += value;
      if (measuredIn === undefined) return;
      exemplars ??= [];
      exemplars[at] = { ...measuredIn, value, atMs: clock.now().getTime() };
    };
    const lines = (withExemplars: boolean) => {
      let count = 0;
      const text = bounds.map((bound, at) => {
        count += counts[at] as number;
        const exemplar = withExemplars ? exemplars?.[at] : undefined;
        const line = `${name}_bucket{${comma}le="${bound}"} ${count}`;
        return exemplar === undefined ? line : `${line}${exemplarText(exemplar)}`;
      });
      text.push(sample(`${name}_sum`, labels, sum), sample(`${name}_count`, labels, count));
      return text;
    };
    return { series: { observe }, lines };
  });
}

/** `1.0` in both formats, as OpenMetrics wants it: a series must not change with who asks. */
const formatBound = (bound: number) => (Number.isInteger(bound) ? `${bound}.0` : `${bound}`);
