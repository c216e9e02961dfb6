import { expect, test } from 'vitest';
import { control, createTenant, expectProblem, request, signUp } from './client.ts';
import { allDone, enqueueWork } from './jobs.ts';
import { createProject } from './webhooks.ts';

type Reader = NonNullable<Parameters<typeof control<'metrics/read'>>[1]>['of'];

async function read(of: Reader = 'app', accept = 'text/plain') {
  const answer = await control('metrics/read', { of, accept });
  expect(answer.status).toBe(200);
  return answer;
}

/** The samples of a metric whose labels have all of these. */
function samples(text: string, name: string, labels: Record<string, string> = {}) {
  return text.split('\n').flatMap((line) => {
    const [, called, own = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    const fits = Object.entries(labels).every(([key, of]) => own.includes(`${key}="${of}"`));
    return called === name && fits ? [{ labels: own, value: Number(value) }] : [];
  });
}
const sum = (...of: Parameters<typeof samples>) =>
  samples(...of).reduce((total, { value }) => total + value, 0);

test('metrics are for who has the token, in both formats', async () => {
  await expectProblem(await request('/metrics'), 401, 'obs.metrics_refused');
  await expectProblem(await request('/metrics', { as: 'x'.repeat(40) }), 401);
  expect((await read()).contentType).toContain('version=0.0.4');
  const openMetrics = await read('app', 'application/openmetrics-text; version=1.0.0');
  expect(openMetrics.contentType).toContain('application/openmetrics-text');
  expect(openMetrics.text.endsWith('# EOF\n')).toBe(true);
  expect(openMetrics.text).toMatch(
    /_bucket\{.*\} \d+ # \{trace_id="[0-9a-f]{32}",span_id="[0-9a-f]{16}"\} /,
  );
});

test('requests are counted and timed by method, pattern of the route, status and class', async () => {
  const ping = {
    http_request_method: 'GET',
    http_route: '/ping',
    http_response_status_code: '200',
  };
  const before = (await read()).text;
  for (let at = 0; at < 5; at += 1) await request('/ping');
  const { text } = await read();
  for (const name of ['http_server_requests_total', 'http_server_request_duration_seconds_count'])
    expect(sum(text, name, ping) - sum(before, name, ping)).toBeGreaterThanOrEqual(5);
  const buckets = samples(text, 'http_server_request_duration_seconds_bucket', ping);
  expect(buckets.map(({ labels }) => /le="([^"]+)"/.exec(labels)?.[1]).slice(0, 15)).toEqual(
    '0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1.0 2.5 5.0 7.5 10.0 +Inf'.split(' '),
  );
  expect(
    samples(text, 'http_server_requests_total', { ...ping, route_class: 'public' }),
  ).toHaveLength(1);
  expect(
    sum(text, 'http_server_requests_total', { http_route: '/metrics', route_class: 'internal' }),
  ).toBeGreaterThan(0);
  expect(sum(text, 'http_server_active_requests')).toBeGreaterThan(0);
});

test('the pool of the database is told: how many are in use, idle and waited for', async () => {
  const { text } = await read();
  expect(sum(text, 'db_pool_max')).toBeGreaterThan(0);
  for (const name of ['db_pool_in_use', 'db_pool_idle', 'db_pool_waiting'])
    expect(samples(text, name)).toHaveLength(1);
  expect(sum(text, 'db_pool_wait_seconds_count')).toBeGreaterThan(0);
  expect(samples(text, 'db_connection_errors_total').length).toBeGreaterThan(0);
});

test('whatever is asked for makes no series: not paths, not ids, not methods', async () => {
  const { token } = await signUp();
  await createTenant(token);
  const project = await createProject(token);
  const marker = `m${crypto.randomUUID().slice(0, 8)}`;
  const round = async (names: readonly string[]) => {
    for (const name of names) {
      await request(`/${marker}/${name}?q=${marker}`);
      await request(`/projects/${crypto.randomUUID()}?q=${marker}`, { as: token });
      await request(`/ping`, { method: 'PROPFIND' });
      await request(`/ping/${name}`, { method: 'DELETE' });
    }
    await request(`/projects/${project.id}`, { as: token });
  };
  const ofRequests = (text: string) =>
    samples(text, 'http_server_requests_total').filter(({ labels }) =>
      /http_route="(?:|\/projects\/:[a-z]+)"/.test(labels),
    );
  await round(['first']);
  const before = ofRequests((await read()).text);
  await round(Array.from({ length: 40 }, (_, at) => `${marker}-${at}`));
  const { text } = await read();
  expect(text).not.toContain(marker);
  expect(text).not.toContain(project.id);
  expect(text).not.toContain('PROPFIND');
  // Scenarios beside this one add a status or a method here and there; these 160 requests would add as many.
  expect(ofRequests(text).length).toBeLessThan(before.length + 20);
  expect(
    sum(text, 'http_server_requests_total', { http_request_method: '_OTHER' }),
  ).toBeGreaterThanOrEqual(41);
  expect(
    sum(text, 'http_server_requests_total', { http_route: '', http_response_status_code: '404' }),
  ).toBeGreaterThanOrEqual(41);
  expect(
    sum(text, 'http_server_requests_total', {
      http_route: '/projects/:id',
      http_response_status_code: '404',
    }),
  ).toBeGreaterThanOrEqual(41);
  expect(sum(text, 'obs_metric_overflow_total')).toBe(0);
});

test('jobs are told by the process that runs them', async () => {
  await allDone(await enqueueWork({ jobCount: 3 }));
  const task = { task: 'acceptance.work' };
  expect(sum((await read()).text, 'jobs_enqueued_total', task)).toBeGreaterThanOrEqual(3);
  const { text } = await read('worker');
  expect(
    sum(text, 'jobs_attempt_duration_seconds_count', { ...task, outcome: 'completed' }),
  ).toBeGreaterThanOrEqual(3);
  expect(sum(text, 'jobs_wait_seconds_count', task)).toBeGreaterThanOrEqual(3);
});
