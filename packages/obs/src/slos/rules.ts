import type { Slo } from './slo.ts';

/** One rule of Prometheus. */
export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A file of rules, as Prometheus reads it. */
export interface RulesFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

/** The budget burns too fast when it does so in both windows. */
export interface BurnWindow {
  readonly long: string;
  readonly short: string;
  /** How many times as fast as the budget allows. */
  readonly factor: number;
  readonly severity: 'page' | 'ticket';
}

/** For a period of 30 days: 2 % of the budget in 1 h, 5 % in 6 h, 10 % in 1 d and in 3 d (Site Reliability Workbook, chapter 5). */
export const burnWindows: readonly BurnWindow[] = [
  { long: '1h', short: '5m', factor: 14.4, severity: 'page' },
  { long: '6h', short: '30m', factor: 6, severity: 'page' },
  { long: '1d', short: '2h', factor: 3, severity: 'ticket' },
  { long: '3d', short: '6h', factor: 1, severity: 'ticket' },
];

export interface RulesOptions {
  slos: readonly Slo[];
  /** What the name of an alert and `.md` are appended to. @default 'docs/operations/runbooks/' */
  runbooks?: string;
  /** @default burnWindows */
  windows?: readonly BurnWindow[];
}

/** The recording rules and alerts of some objectives, and those that every service has. The file is JSON, which is YAML. */
export function rulesFile({
  slos,
  runbooks = 'docs/operations/runbooks/',
  windows = burnWindows,
}: RulesOptions): RulesFile {
  const names = slos.map(({ name }) => name);
  if (new Set(names).size < names.length) throw new TypeError('two SLOs have one name');
  const alert = (rule: Rule & { readonly alert: string }): Rule => ({
    ...rule,
    annotations: { ...rule.annotations, runbook_url: `${runbooks}${rule.alert}.md` },
  });
  return {
    groups: [
      ...slos.map((each) => ({
        name: `slo-${each.name}`,
        rules: [...recordings(each, windows), ...burns(each, windows).map(alert)],
      })),
      { name: 'service', rules: serviceAlerts.map(alert) },
    ],
  };
}

interface Indicator {
  readonly sli: 'availability' | 'latency';
  readonly budget: number;
  /** The share of bad requests over a span. */
  bad(span: string): string;
}

function indicators({ selector, objective, latency }: Slo): Indicator[] {
  const requests = (span: string, more = '') =>
    `sum(rate(http_server_requests_total{${selector}${more}}[${span}]))`;
  const availability: Indicator = {
    sli: 'availability',
    budget: 1 - objective,
    // Without `or`, a service that never failed has no ratio, and no alert that could be tested.
    bad: (span) =>
      `(${requests(span, ',http_response_status_code=~"5.."')} or 0 * ${requests(span)}) / (${requests(span)} > 0)`,
  };
  if (latency === undefined) return [availability];
  const timed = (kind: string, span: string, more = '') =>
    `sum(rate(http_server_request_duration_seconds_${kind}{${selector}${more}}[${span}]))`;
  const { underSeconds, objective: share } = latency;
  const bound = Number.isInteger(underSeconds) ? `${underSeconds}.0` : `${underSeconds}`;
  const slow: Indicator = {
    sli: 'latency',
    budget: 1 - share,
    bad: (span) => `1 - ${timed('bucket', span, `,le="${bound}"`)} / (${timed('count', span)} > 0)`,
  };
  return [availability, slow];
}

function recordings(each: Slo, windows: readonly BurnWindow[]): Rule[] {
  const spans = [...new Set(windows.flatMap(({ long, short }) => [short, long]))];
  const labels = { slo: each.name };
  return [
    ...indicators(each).flatMap(({ sli, bad }) =>
      spans.map((span) => ({
        record: `slo:bad_requests:ratio_rate${span}`,
        expr: bad(span),
        labels: { ...labels, sli },
      })),
    ),
    ...spans.map((span) => ({
      record: `slo:requests:rate${span}`,
      expr: `sum(rate(http_server_requests_total{${each.selector}}[${span}]))`,
      labels,
    })),
  ];
}

function burns(each: Slo, windows: readonly BurnWindow[]) {
  const { name, minRate } = each;
  return indicators(each).flatMap(({ sli, budget }) =>
    windows.map(({ long, short, factor, severity }) => {
      const bad = (span: string) =>
        `slo:bad_requests:ratio_rate${span}{slo="${name}",sli="${sli}"} > ${round(factor * budget)}`;
      const words = sli === 'availability' ? 'fail' : 'are too slow';
      return {
        alert: sli === 'availability' ? 'SloErrorBudgetBurn' : 'SloLatencyBudgetBurn',
        expr: `${bad(long)} and ${bad(short)} and on (slo) slo:requests:rate${long}{slo="${name}"} > ${minRate}`,
        labels: { severity, slo: name, window: long },
        annotations: {
          summary: `So many requests of "${name}" ${words} that its budget burns ${factor} times too fast.`,
          description: `{{ $value | humanizePercentage }} of the requests of the last ${long} ${words}.`,
        },
      };
    }),
  );
}

/** 0.0144 instead of 0.014399999999999996. */
const round = (value: number) => Number(value.toPrecision(10));

const counted = 'route_class!="internal"';
const requests = `sum(rate(http_server_requests_total{${counted}}[5m]))`;

const serviceAlerts: readonly (Rule & { readonly alert: string })[] = [
  {
    alert: 'HighErrorRate',
    expr: `sum(rate(http_server_requests_total{${counted},http_response_status_code=~"5.."}[5m])) / (${requests} > 0.1) > 0.05`,
    for: '5m',
    labels: { severity: 'page' },
    annotations: { summary: 'More than 5 % of all requests fail.' },
  },
  {
    alert: 'SlowResponseTime',
    expr: `histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket{${counted}}[5m]))) > 1 and on () ${requests} > 0.1`,
    for: '10m',
    labels: { severity: 'ticket' },
    annotations: { summary: 'One request in twenty takes longer than a second.' },
  },
  {
    alert: 'DatabaseConnectionFailures',
    expr: 'sum by (pool) (rate(db_connection_errors_total[5m])) > 0',
    for: '1m',
    labels: { severity: 'page' },
    annotations: {
      summary: 'Connections to the database of {{ $labels.pool }} are lost or cannot be had.',
    },
  },
  {
    alert: 'MetricSeriesOverflow',
    expr: 'sum by (metric) (rate(obs_metric_overflow_total[15m])) > 0',
    for: '15m',
    labels: { severity: 'ticket' },
    annotations: { summary: '{{ $labels.metric }} has more series than it may.' },
  },
];
