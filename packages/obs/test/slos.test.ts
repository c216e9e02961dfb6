import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { freePort } from '@svc/core/testing';
import { burnWindows, createObs, dashboards, rulesFile, slo } from '@svc/obs';
import { metricsRoutes, observe } from '@svc/obs/hono';
import { Hono } from 'hono';
import { afterEach, describe, expect, test } from 'vitest';
import { hasPromtool } from './prometheus.ts';

const api = slo({
  name: 'api',
  objective: 0.999,
  routes: 'user',
  latency: { under: '500ms', objective: 0.99 },
});
const sums = slo({ name: 'sums', objective: 0.95, routes: ['/a.b/:id', '/c'] });
const file = rulesFile({ slos: [api, sums] });
const rules = file.groups.flatMap((group) => group.rules);
const runbooks = join(import.meta.dirname, '../../../docs/operations/runbooks');

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
function folderWith(files: Record<string, unknown>): string {
  const folder = mkdtempSync(join(tmpdir(), 'svc-rules-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), JSON.stringify(content));
  return folder;
}
const promtool = (cwd: string, ...args: string[]) =>
  execFileSync('promtool', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

test('an objective that no alert could hold to, or a time between two buckets, is a TypeError', () => {
  const good = { name: 'api', objective: 0.99, routes: 'user' } as const;
  const bad = [
    { ...good, objective: 1 },
    { ...good, objective: 0.9 },
    { ...good, name: 'An API' },
    { ...good, routes: [] },
    { ...good, latency: { under: '300ms', objective: 0.99 } as const },
  ];
  for (const options of bad) expect(() => slo(options)).toThrow(TypeError);
  expect(() => rulesFile({ slos: [slo(good), slo(good)] })).toThrow(TypeError);
});

test('every alert has a severity, a summary and a page of what to do', () => {
  const alerts = rules.filter(({ alert }) => alert !== undefined);
  expect(new Set(alerts.map(({ alert }) => alert))).toEqual(
    new Set([
      'SloErrorBudgetBurn',
      'SloLatencyBudgetBurn',
      'HighErrorRate',
      'SlowResponseTime',
      'DatabaseConnectionFailures',
      'MetricSeriesOverflow',
    ]),
  );
  for (const { alert, labels, annotations } of alerts) {
    expect(labels?.['severity']).toMatch(/^(?:page|ticket)$/);
    expect(annotations?.['summary']).toMatch(/\.$/);
    expect(annotations?.['runbook_url']).toBe(`docs/operations/runbooks/${alert}.md`);
    expect(existsSync(join(runbooks, `${alert}.md`)), alert).toBe(true);
    expect(readFileSync(join(runbooks, `${alert}.md`), 'utf8')).toContain(`# ${alert}`);
  }
});

test('rules and dashboards speak of metrics that there are', () => {
  const { names } = createObs().metrics;
  const boards = Object.values(dashboards({ slos: [api] }));
  expect(Object.keys(dashboards())).toEqual([
    'overview',
    'http',
    'database',
    'jobs',
    'webhooks',
    'runtime',
  ]);
  const texts = [
    ...rules.map(({ expr }) => expr),
    ...boards.flatMap(({ panels }) =>
      panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ),
  ];
  for (const text of texts) {
    const named =
      text.match(
        /\b(?:http|db|redis|jobs|schedule|webhooks|nodejs|v8js|process|ratelimit|circuit|obs)_\w+(?=[{[\s)]|$)/g,
      ) ?? [];
    for (const name of named.filter(
      (each) => !/^(?:http_route|http_response_status_code|v8js_gc_type|error_type)$/.test(each),
    ))
      expect(names, text).toContain(name.replace(/_(?:bucket|count|sum)$/, ''));
  }
});

const minutes = (count: number, value: string) => `0+${value}x${count}`;
const requests = (status: string, route_class = 'user') =>
  `http_server_requests_total{http_response_status_code="${status}",route_class="${route_class}",http_route="/x"}`;

// skipped because promtool is not installed; CI installs it
describe.skipIf(!hasPromtool)('with the tools of Prometheus', () => {
  test('the rules, and every expression of a dashboard, are ones that Prometheus takes', () => {
    const boards = Object.values(dashboards({ slos: [api] }));
    const expressions = boards.flatMap(({ panels }) =>
      panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    );
    const asRules = expressions.map((expr, at) => ({
      record: `panel:${at}`,
      expr: expr.replaceAll('$__rate_interval', '5m'),
    }));
    const folder = folderWith({
      'rules.json': file,
      'panels.json': { groups: [{ name: 'panels', rules: asRules }] },
    });
    expect(promtool(folder, 'check', 'rules', 'rules.json')).toContain(
      `SUCCESS: ${rules.length} rules found`,
    );
    expect(promtool(folder, 'check', 'rules', 'panels.json')).toContain(
      `SUCCESS: ${expressions.length} rules found`,
    );
  });

  const expectAlerts = (
    series: [string, string][],
    alert: string,
    minute: string,
    expected: object[],
  ) => {
    const folder = folderWith({
      'rules.json': file,
      'test.json': {
        rule_files: ['rules.json'],
        evaluation_interval: '1m',
        tests: [
          {
            interval: '1m',
            input_series: series.map(([name, values]) => ({ series: name, values })),
            alert_rule_test: [
              {
                eval_time: minute,
                alertname: alert,
                exp_alerts: expected.map((exp_labels) => ({ exp_labels })),
              },
            ],
          },
        ],
      },
    });
    let output = '';
    try {
      output = promtool(folder, 'test', 'rules', 'test.json');
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      output = `${stdout}${stderr}`;
    }
    return output;
  };
  // Annotations are compared as well; what fires is read from what promtool says it got.
  const firing = (series: [string, string][], alert: string, minute: string) => {
    const output = expectAlerts(series, alert, minute, []);
    if (output.includes('SUCCESS')) return [];
    expect(output).toContain('FAILED');
    return output.match(/(?:severity|window)="[^"]+"/g) ?? [];
  };

  test('5 % of errors page within the hour; none, even where none ever was, do not', () => {
    const failing: [string, string][] = [
      [requests('200'), minutes(400, '57')],
      [requests('500'), minutes(400, '3')],
    ];
    expect(firing(failing, 'SloErrorBudgetBurn', '70m')).toContain('window="1h"');
    expect(firing(failing, 'HighErrorRate', '70m')).toEqual([]);
    const never: [string, string][] = [[requests('200'), minutes(400, '60')]];
    expect(firing(never, 'SloErrorBudgetBurn', '70m')).toEqual([]);
    const worse: [string, string][] = [
      [requests('200'), minutes(400, '50')],
      [requests('500'), minutes(400, '10')],
    ];
    expect(firing(worse, 'HighErrorRate', '70m')).toContain('severity="page"');
  });

  test('where no request ever failed, the ratio is 0 and not missing', () => {
    const of = { slo: 'api', sli: 'availability' };
    const folder = folderWith({
      'rules.json': file,
      'test.json': {
        rule_files: ['rules.json'],
        evaluation_interval: '1m',
        tests: [
          {
            interval: '1m',
            input_series: [{ series: requests('200'), values: minutes(60, '60') }],
            promql_expr_test: [
              {
                expr: 'slo:bad_requests:ratio_rate5m',
                eval_time: '30m',
                exp_samples: [
                  {
                    labels: `slo:bad_requests:ratio_rate5m${JSON.stringify(of).replaceAll(/"(\w+)":/g, '$1=')}`,
                    value: 0,
                  },
                ],
              },
            ],
          },
        ],
      },
    });
    expect(promtool(folder, 'test', 'rules', 'test.json')).toContain('SUCCESS');
  });

  test('one error among few requests, at night, wakes nobody; nor do errors of other classes', () => {
    const night: [string, string][] = [
      [requests('200'), '0x30 1x400'],
      [requests('500'), '0x60 1x400'],
    ];
    expect(firing(night, 'SloErrorBudgetBurn', '65m')).toEqual([]);
    const others: [string, string][] = [
      [requests('200'), minutes(400, '60')],
      [requests('500', 'internal'), minutes(400, '60')],
    ];
    expect(firing(others, 'SloErrorBudgetBurn', '70m')).toEqual([]);
    expect(firing(others, 'HighErrorRate', '70m')).toEqual([]);
  });

  test('slow answers and lost connections are told', () => {
    const timed = (kind: string, le = '') =>
      `http_server_request_duration_seconds_${kind}{route_class="user"${le === '' ? '' : `,le="${le}"`}}`;
    const slow: [string, string][] = [
      [requests('200'), minutes(400, '60')],
      [timed('bucket', '0.5'), minutes(400, '30')],
      [timed('bucket', '1.0'), minutes(400, '30')],
      [timed('bucket', '2.5'), minutes(400, '60')],
      [timed('bucket', '+Inf'), minutes(400, '60')],
      [timed('count'), minutes(400, '60')],
    ];
    expect(firing(slow, 'SloLatencyBudgetBurn', '70m')).toContain('window="1h"');
    expect(firing(slow, 'SlowResponseTime', '70m')).toContain('severity="ticket"');
    const lost: [string, string][] = [
      ['db_connection_errors_total{pool="database",reason="lost"}', '0x20 3x100'],
    ];
    expect(firing(lost, 'DatabaseConnectionFailures', '15m')).toEqual([]);
    expect(firing(lost, 'DatabaseConnectionFailures', '24m')).toContain('severity="page"');
    expect(firing(lost, 'DatabaseConnectionFailures', '40m')).toEqual([]);
  });

  test(
    'a real Prometheus scrapes a service that fails 5 % of its requests, and fires',
    { timeout: 90_000 },
    async () => {
      const obs = createObs();
      let count = 0;
      const app = new Hono().use(observe(obs)).get('/work', (c) => {
        count += 1;
        return c.text('', count % 20 === 0 ? 500 : 200);
      });
      app.route('/', metricsRoutes(obs.metrics, { token: 'a-token-of-32-characters-or-more' }));
      const server = serve({ fetch: app.fetch, port: 0 });
      const { port } = server.address() as AddressInfo;
      const all = slo({ name: 'all', objective: 0.999, routes: 'public' });
      const [fastest] = burnWindows;
      const windows = [{ ...(fastest as (typeof burnWindows)[number]), long: '20s', short: '10s' }];
      const folder = folderWith({
        'rules.json': rulesFile({ slos: [all], windows }),
        'prometheus.json': {
          global: { scrape_interval: '1s', evaluation_interval: '1s' },
          rule_files: ['rules.json'],
          scrape_configs: [
            {
              job_name: 'service',
              authorization: { credentials: 'a-token-of-32-characters-or-more' },
              static_configs: [{ targets: [`127.0.0.1:${port}`] }],
            },
          ],
        },
      });
      const listen = `127.0.0.1:${await freePort()}`;
      const prometheus = spawn(
        'prometheus',
        [
          '--config.file=prometheus.json',
          '--storage.tsdb.path=data',
          `--web.listen-address=${listen}`,
          '--enable-feature=exemplar-storage',
        ],
        { cwd: folder, stdio: 'ignore' },
      );
      const ended = new Promise((resolve) => prometheus.once('exit', resolve));
      const ask = async <Answer>(path: string) =>
        (await (await fetch(`http://${listen}/api/v1/${path}`)).json()) as { data: Answer };
      try {
        const fires = async () => {
          for (let at = 0; at < 20; at += 1) await app.request('/work');
          const { data } = await ask<{
            alerts: { state: string; labels: Record<string, string> }[];
          }>('alerts').catch(() => ({ data: { alerts: [] } }));
          return data.alerts.find(({ labels }) => labels['alertname'] === 'SloErrorBudgetBurn');
        };
        let alert = await fires();
        const deadline = Date.now() + 60_000;
        while (alert === undefined && Date.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, 500));
          alert = await fires();
        }
        expect(alert).toMatchObject({ state: 'firing', labels: { slo: 'all', severity: 'page' } });
        // The scrape was OpenMetrics, with the traces of requests.
        const query = encodeURIComponent('http_server_request_duration_seconds_bucket');
        const { data } = await ask<{ exemplars: { labels: Record<string, string> }[] }[]>(
          `query_exemplars?query=${query}&start=${Date.now() / 1000 - 60}&end=${Date.now() / 1000 + 1}`,
        );
        expect(data[0]?.exemplars[0]?.labels['trace_id']).toMatch(/^[0-9a-f]{32}$/);
      } finally {
        prometheus.kill('SIGKILL');
        await ended;
        server.close();
      }
    },
  );
});
