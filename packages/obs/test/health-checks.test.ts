import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { freePort } from '@svc/core/testing';
import { connect } from '@svc/db';
import { createHealth, type HealthCheck } from '@svc/http';
import { startSmtpSink } from '@svc/mail/testing';
import { databaseCheck, httpCheck, redisCheck, s3Check, smtpCheck, tcpCheck } from '@svc/obs';
import { afterEach, expect, test } from 'vitest';

const closes: (() => void)[] = [];
afterEach(() => {
  for (const close of closes.splice(0)) close();
});
async function listen(server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closes.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** What readiness says of one check, with a time limit of 300 ms. */
async function statusOf(check: HealthCheck) {
  const health = createHealth({ checks: [check], timeoutMs: 300 });
  health.markStarted();
  const { status, checks } = await health.ready();
  return `${checks[0]?.name} ${checks[0]?.status}, ${status}`;
}

test('the database: critical, by ping', async () => {
  const connection = await connect('pglite://memory');
  expect(await statusOf(databaseCheck(connection))).toBe('database ok, ok');
  await connection.close();
  expect(await statusOf(databaseCheck(connection))).toBe('database failed, unavailable');
});

test('Redis: optional, by ping', async () => {
  expect(await statusOf(redisCheck({ ping: async () => 'PONG' }))).toBe('redis ok, ok');
  const away = { ping: () => Promise.reject(new Error('away')) };
  expect(await statusOf(redisCheck(away))).toBe('redis failed, degraded');
  expect(await statusOf(redisCheck(away, { name: 'cache', critical: true }))).toBe(
    'cache failed, unavailable',
  );
});

test('a port: whether it accepts', async () => {
  const port = await listen(net.createServer((socket) => socket.end()));
  expect(await statusOf(tcpCheck({ host: '127.0.0.1', port }))).toBe('tcp ok, ok');
  expect(await statusOf(tcpCheck({ host: '127.0.0.1', port: await freePort() }))).toBe(
    'tcp failed, degraded',
  );
});

test('a mail server: whether it greets, in time', async () => {
  const sink = await startSmtpSink();
  closes.push(() => void sink.close());
  expect(await statusOf(smtpCheck(sink.url))).toBe('smtp ok, ok');
  expect(sink.mails).toHaveLength(0);
  const rude = await listen(net.createServer((socket) => socket.write('554 go away\r\n')));
  expect(await statusOf(smtpCheck(`smtp://127.0.0.1:${rude}`))).toBe('smtp failed, degraded');
  const closing = await listen(net.createServer((socket) => socket.destroy()));
  expect(await statusOf(smtpCheck(`smtp://127.0.0.1:${closing}`))).toBe('smtp failed, degraded');
  const silent = net.createServer((socket) => closes.push(() => socket.destroy()));
  const port = await listen(silent);
  expect(await statusOf(smtpCheck(`smtp://127.0.0.1:${port}`))).toBe('smtp timeout, degraded');
  expect(() => smtpCheck('http://mail.example')).toThrow(TypeError);
});

test('a URL: below 400; a bucket: anything but that it is not there, or broken', async () => {
  let status = 200;
  const server = http.createServer((_, response) => {
    response.statusCode = status;
    response.end();
  });
  const url = `http://127.0.0.1:${await listen(server)}/bucket`;
  const seen: string[] = [];
  for (const next of [200, 403, 404, 500]) {
    status = next;
    seen.push(await statusOf(httpCheck(url, { fetch })), await statusOf(s3Check(url, { fetch })));
  }
  expect(seen).toEqual([
    'http ok, ok',
    's3 ok, ok',
    'http failed, degraded',
    's3 ok, ok',
    'http failed, degraded',
    's3 failed, degraded',
    'http failed, degraded',
    's3 failed, degraded',
  ]);
});
