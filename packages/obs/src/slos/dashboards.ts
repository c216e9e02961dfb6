import type { Slo } from './slo.ts';

/** A dashboard of Grafana 10 and later, as its JSON model. */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly [field: string]: unknown;
}

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly [field: string]: unknown;
}

interface Row {
  readonly title: string;
  readonly expr: string;
  /** @default '{{...}}' of every label */
  readonly legend?: string;
  /** A unit of Grafana. @default 'short' */
  readonly unit?: 'short' | 's' | 'reqps' | 'percentunit' | 'bytes';
}

const counted = 'route_class!="internal"';
const per = (name: string, by: string, more = '') =>
  `sum by (${by}) (rate(${name}{${more}}[$__rate_interval]))`;
const quantile = (share: number, name: string, by = '', more = '') =>
  `histogram_quantile(${share}, sum by (le${by === '' ? '' : `, ${by}`}) (rate(${name}_bucket{${more}}[$__rate_interval])))`;

const rows: Readonly<Record<string, readonly Row[]>> = {
  overview: [
    {
      title: 'Requests',
      expr: per('http_server_requests_total', 'route_class', counted),
      unit: 'reqps',
    },
    {
      title: 'Share of errors',
      expr: `(sum(rate(http_server_requests_total{${counted},http_response_status_code=~"5.."}[$__rate_interval])) or vector(0)) / sum(rate(http_server_requests_total{${counted}}[$__rate_interval]))`,
      unit: 'percentunit',
    },
    {
      title: '95th percentile',
      expr: quantile(0.95, 'http_server_request_duration_seconds', '', counted),
      unit: 's',
    },
    { title: 'In flight', expr: 'sum(http_server_active_requests)' },
    {
      title: 'Database: in use',
      expr: 'sum by (pool) (db_pool_in_use) / sum by (pool) (db_pool_max)',
      unit: 'percentunit',
    },
    { title: 'Jobs given up', expr: per('jobs_dead_total', 'task') },
    {
      title: 'Breakers that are open',
      expr: 'sum by (breaker) (circuit_breaker_state{state="open"})',
    },
    { title: 'Event loop', expr: 'max(nodejs_eventloop_delay_p99_seconds)', unit: 's' },
  ],
  http: [
    {
      title: 'Requests by route',
      expr: per('http_server_requests_total', 'http_route', counted),
      unit: 'reqps',
    },
    {
      title: 'By status',
      expr: per('http_server_requests_total', 'http_response_status_code', counted),
      unit: 'reqps',
    },
    {
      title: '95th percentile by route',
      expr: quantile(0.95, 'http_server_request_duration_seconds', 'http_route', counted),
      unit: 's',
    },
    {
      title: '99th percentile',
      expr: quantile(0.99, 'http_server_request_duration_seconds', '', counted),
      unit: 's',
    },
    { title: 'Exceptions', expr: per('http_server_exceptions_total', 'http_route, error_type') },
    {
      title: 'Limits that refuse',
      expr: per('ratelimit_exceeded_total', 'limit', 'mode="enforced"'),
    },
    {
      title: 'Calls to others',
      expr: per('http_client_requests_total', 'client, http_response_status_code'),
      unit: 'reqps',
    },
    {
      title: 'Calls to others, 95th percentile',
      expr: quantile(0.95, 'http_client_request_duration_seconds', 'client'),
      unit: 's',
    },
  ],
  database: [
    { title: 'In use', expr: 'sum by (pool) (db_pool_in_use)' },
    { title: 'Idle', expr: 'sum by (pool) (db_pool_idle)' },
    { title: 'Waiting', expr: 'sum by (pool) (db_pool_waiting)' },
    {
      title: 'Wait, 99th percentile',
      expr: quantile(0.99, 'db_pool_wait_seconds', 'pool'),
      unit: 's',
    },
    { title: 'Errors', expr: per('db_connection_errors_total', 'pool, reason') },
    {
      title: 'Redis: commands',
      expr: per('redis_command_duration_seconds_count', 'command'),
      unit: 'reqps',
    },
    {
      title: 'Redis: 99th percentile',
      expr: quantile(0.99, 'redis_command_duration_seconds'),
      unit: 's',
    },
    { title: 'Redis: connected', expr: 'min by (client) (redis_connected)' },
  ],
  jobs: [
    { title: 'Enqueued', expr: per('jobs_enqueued_total', 'task') },
    { title: 'Attempts', expr: per('jobs_attempt_duration_seconds_count', 'task, outcome') },
    {
      title: 'Wait, 95th percentile',
      expr: quantile(0.95, 'jobs_wait_seconds', 'task'),
      unit: 's',
    },
    {
      title: 'Attempt, 95th percentile',
      expr: quantile(0.95, 'jobs_attempt_duration_seconds', 'task'),
      unit: 's',
    },
    { title: 'Retried', expr: per('jobs_retried_total', 'task') },
    { title: 'Given up', expr: per('jobs_dead_total', 'task') },
    { title: 'Lost by their workers', expr: per('jobs_lost_total', 'task') },
    { title: 'Ticks of schedules', expr: per('schedule_ticks_total', 'schedule, outcome') },
  ],
  webhooks: [
    { title: 'Published', expr: per('webhooks_published_total', 'type') },
    {
      title: 'Tries by result',
      expr: per('webhooks_attempt_duration_seconds_count', 'result, status'),
    },
    {
      title: 'Tries, 95th percentile',
      expr: quantile(0.95, 'webhooks_attempt_duration_seconds'),
      unit: 's',
    },
    { title: 'Incoming', expr: per('webhooks_incoming_total', 'source, result') },
  ],
  runtime: [
    {
      title: 'Event loop, delay',
      expr: 'max by (instance) (nodejs_eventloop_delay_p99_seconds)',
      unit: 's',
    },
    {
      title: 'Event loop, busy',
      expr: 'max by (instance) (nodejs_eventloop_utilization_ratio)',
      unit: 'percentunit',
    },
    {
      title: 'Processor',
      expr: 'sum by (instance) (rate(process_cpu_seconds_total[$__rate_interval]))',
    },
    { title: 'Heap', expr: 'sum by (instance) (v8js_memory_heap_used_bytes)', unit: 'bytes' },
    { title: 'Resident', expr: 'sum by (instance) (process_resident_memory_bytes)', unit: 'bytes' },
    {
      title: 'Collections, time',
      expr: per('v8js_gc_duration_seconds_sum', 'v8js_gc_type'),
      unit: 'percentunit',
    },
    { title: 'Open files', expr: 'sum by (instance) (process_open_fds)' },
  ],
};

/** Dashboards by name: overview, http, database, jobs, webhooks and runtime; the overview has each objective. */
export function dashboards({ slos = [] }: { slos?: readonly Slo[] } = {}): Record<
  string,
  Dashboard
> {
  const objectives = slos.map(({ name, objective }): Row => ({
    title: `Objective "${name}": burn of the budget`,
    expr: `slo:bad_requests:ratio_rate1h{slo="${name}",sli="availability"} / ${Number((1 - objective).toPrecision(10))}`,
    legend: 'times as fast as it may',
  }));
  return Object.fromEntries(
    Object.entries(rows).map(([name, own]) => [
      name,
      toDashboard(name, name === 'overview' ? [...objectives, ...own] : own),
    ]),
  );
}

const toDashboard = (name: string, own: readonly Row[]): Dashboard => ({
  uid: `svc-${name}`,
  title: `Service: ${name}`,
  tags: ['svc'],
  schemaVersion: 39,
  editable: true,
  refresh: '30s',
  time: { from: 'now-6h', to: 'now' },
  templating: {
    list: [{ name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' }],
  },
  panels: own.map(({ title, expr, legend = '__auto', unit = 'short' }, at) => ({
    id: at + 1,
    type: 'timeseries',
    title,
    datasource: { type: 'prometheus', uid: '${datasource}' },
    gridPos: { x: (at % 2) * 12, y: Math.floor(at / 2) * 8, w: 12, h: 8 },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: [{ refId: 'A', expr: expr.replaceAll('{}', ''), legendFormat: legend }],
  })),
});
