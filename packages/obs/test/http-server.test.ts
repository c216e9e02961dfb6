import { testClock } from '@svc/core/testing';
import { failure } from '@svc/core';
import { stack } from '@svc/http/hono';
import { createObs, durationBuckets, routeClasses } from '@svc/obs';
import { metricsRoutes, observe, type ObserveOptions } from '@svc/obs/hono';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { samplesOf, textOf } from './prometheus.ts';

class Gone extends failure('test.gone', 'unavailable', 'Gone.') {}

function open(options: ObserveOptions = {}) {
  const clock = testClock();
  const obs = createObs({ clock });
  const app = new Hono();
  app.use(observe(obs, options));
  stack(app, {});
  app.get('/items/:id', (c) => c.json({ id: c.req.param('id') }));
  app.post('/items', async (c) => c.text(String((await c.req.text()).length), 201));
  app.get('/slow', async (c) => {
    await clock.sleep(300);
    return c.text('done');
  });
  app.get('/broken', () => {
    throw new RangeError('secret');
  });
  app.get('/away', () => {
    throw new Gone();
  });
  app.get('/admin/users', (c) => c.text('admin'));
  app.route('/', metricsRoutes(obs.metrics));
  return { app, obs, clock };
}

// https://opentelemetry.io/docs/specs/semconv/http/http-metrics/, as Prometheus writes names, units and attributes.
test('the duration has the name, unit, buckets and attributes of the semantic conventions', async () => {
  expect(durationBuckets).toEqual([
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
  ]);
  const { app, obs, clock } = open();
  const answer = app.request('/slow');
  while (clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(await samplesOf(obs.metrics, 'http_server_active_requests')).toEqual({
    'http_request_method="GET",url_scheme="http"': 1,
  });
  await clock.advance('300ms');
  await answer;
  await app.request('/away');
  const text = await textOf(obs.metrics, 'openmetrics');
  expect(text).toContain('# TYPE http_server_request_duration_seconds histogram');
  expect(text).toContain('# UNIT http_server_request_duration_seconds seconds');
  expect(await samplesOf(obs.metrics, 'http_server_request_duration_seconds_sum')).toEqual({
    'http_request_method="GET",url_scheme="http",http_response_status_code="200",http_route="/slow",error_type="",network_protocol_version="",route_class="public"': 0.3,
    'http_request_method="GET",url_scheme="http",http_response_status_code="503",http_route="/away",error_type="503",network_protocol_version="",route_class="public"': 0,
  });
  expect(await samplesOf(obs.metrics, 'http_server_active_requests')).toEqual({
    'http_request_method="GET",url_scheme="http"': 0,
  });
});

test('a million paths that no route has are one series, as are the ids of a route', async () => {
  const { app, obs } = open();
  const requests = async (from: number, to: number) => {
    for (let at = from; at < to; at += 1) {
      await app.request(`/nothing/${at}`);
      await app.request(`/items/${at}`);
      await app.request('/items/1', { method: `X-${at}` });
    }
  };
  await requests(0, 2);
  const before = obs.metrics.seriesCount;
  // The bench sends the million.
  await requests(2, 300);
  expect(obs.metrics.seriesCount).toBe(before);
  const counts = await samplesOf(obs.metrics, 'http_server_requests_total');
  expect(counts).toMatchObject({
    'http_request_method="GET",http_response_status_code="404",http_route="",route_class="public"': 300,
    'http_request_method="GET",http_response_status_code="200",http_route="/items/:id",route_class="public"': 300,
    'http_request_method="_OTHER",http_response_status_code="405",http_route="",route_class="public"': 300,
  });
});

test('what was thrown and is no failure is counted by its name', async () => {
  const { app, obs } = open();
  await app.request('/broken');
  await app.request('/away');
  expect(await samplesOf(obs.metrics, 'http_server_exceptions_total')).toEqual({
    'http_route="/broken",error_type="RangeError"': 1,
  });
});

test('routes have classes: internal before admin before user, else public', async () => {
  const classOf = routeClasses({ user: ['/projects', '/projects/*'], admin: ['/admin/*'] });
  expect(
    ['/readyz', '/metrics', '/admin/users', '/projects', '/projects/:id', '/projectsX', ''].map(
      classOf,
    ),
  ).toEqual(['internal', 'internal', 'admin', 'user', 'user', 'public', 'public']);
  const { app, obs } = open();
  await app.request('/admin/users');
  await app.request('/metrics');
  const counted = Object.keys(await samplesOf(obs.metrics, 'http_server_requests_total'));
  expect(counted.map((labels) => /route_class="(\w+)"/.exec(labels)?.[1])).toEqual([
    'admin',
    'internal',
  ]);
});

test('sizes are those that were declared, or all where they are counted', async () => {
  const body = { method: 'POST', body: '12345', headers: { 'content-length': '5' } };
  const declared = open();
  await (await declared.app.request('/items', body)).text();
  expect(await samplesOf(declared.obs.metrics, 'http_server_request_body_size_bytes_sum')).toEqual({
    'http_route="/items"': 5,
  });
  expect(await samplesOf(declared.obs.metrics, 'http_server_response_body_size_bytes_sum')).toEqual(
    {},
  );
  const counted = open({ responseSizes: 'counted' });
  expect(await (await counted.app.request('/items/1234')).text()).toBe('{"id":"1234"}');
  expect(await samplesOf(counted.obs.metrics, 'http_server_response_body_size_bytes_sum')).toEqual({
    'http_route="/items/:id"': 13,
  });
  expect(
    Object.values(await samplesOf(counted.obs.metrics, 'http_server_active_requests')),
  ).toEqual([0]);
});

test('/metrics speaks OpenMetrics to who asks for it, and packs what it sends', async () => {
  const { app } = open();
  await app.request('/items/1');
  const plain = await app.request('/metrics');
  expect(plain.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(plain.headers.get('cache-control')).toBe('no-store');
  const accept = 'application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5';
  const asked = await app.request('/metrics', { headers: { accept, 'accept-encoding': 'gzip' } });
  expect(asked.headers.get('content-type')).toContain('application/openmetrics-text');
  expect(asked.headers.get('content-encoding')).toBe('gzip');
  const unpacked = asked.body?.pipeThrough(new DecompressionStream('gzip'));
  const text = await new Response(unpacked).text();
  expect(text).toMatch(/http_route="\/items\/:id".*le="0.005"\} 1 # \{trace_id="[0-9a-f]{32}"/);
  expect(text.endsWith('# EOF\n')).toBe(true);
});

test('with a token, /metrics is for who bears it', async () => {
  const obs = createObs();
  const app = new Hono();
  stack(app, {});
  app.route('/', metricsRoutes(obs.metrics, { token: 'a-token-of-32-characters-or-more' }));
  const ask = async (authorization?: string) =>
    (
      await app.request(
        '/metrics',
        authorization === undefined ? {} : { headers: { authorization } },
      )
    ).status;
  expect(await ask()).toBe(401);
  expect(await ask('Bearer a-token-of-32-characters-or-mor')).toBe(401);
  expect(await ask('Basic a-token-of-32-characters-or-more')).toBe(401);
  expect(await ask('Bearer a-token-of-32-characters-or-more')).toBe(200);
});
