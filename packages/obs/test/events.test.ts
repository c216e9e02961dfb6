import * as audit from '@svc/audit';
import * as auth from '@svc/auth';
import type { EventChannel } from '@svc/core';
import { recordingLogger } from '@svc/core/testing';
import * as db from '@svc/db';
import { connect } from '@svc/db';
import { startPostgres } from '@svc/db/testing';
import { breakerChanged, callRetried, createGuardedFetch } from '@svc/http';
import * as idempotency from '@svc/idempotency';
import * as jobs from '@svc/jobs';
import * as mail from '@svc/mail';
import { createObs } from '@svc/obs';
import * as ratelimit from '@svc/ratelimit';
import * as tenancy from '@svc/tenancy';
import * as webhooks from '@svc/webhooks';
import { afterEach, expect, test } from 'vitest';
import * as read from '../src/recorders/channels.ts';
import { samplesOf, textOf } from './prometheus.ts';

/** Two channels of one thing: what is read must be among what is published, or it does not compile. */
const pair = <Read extends object, Published extends Read>(
  ours: EventChannel<Read>,
  theirs: EventChannel<Published>,
) => ({ ours: ours.name, theirs: theirs.name });

const pairs = [
  pair(read.connectionAcquired, db.connectionAcquired),
  pair(read.connectionFailed, db.connectionFailed),
  pair(read.connectionLost, db.connectionLost),
  pair(read.jobs.enqueued, jobs.enqueued),
  pair(read.jobs.started, jobs.started),
  pair(read.jobs.completed, jobs.completed),
  pair(read.jobs.failed, jobs.failed),
  pair(read.jobs.retried, jobs.retried),
  pair(read.jobs.dead, jobs.dead),
  pair(read.jobs.cancelled, jobs.cancelled),
  pair(read.jobs.lost, jobs.lost),
  pair(read.jobs.returned, jobs.returned),
  pair(read.jobs.storeDown, jobs.storeDown),
  pair(read.jobs.storeUp, jobs.storeUp),
  pair(read.jobs.ticked, jobs.ticked),
  pair(read.jobs.tickFailed, jobs.tickFailed),
  pair(read.webhooks.published, webhooks.published),
  pair(read.webhooks.attempted, webhooks.attempted),
  pair(read.webhooks.incoming, webhooks.incoming),
  pair(read.mail.sent, mail.mailSent),
  pair(read.mail.failed, mail.mailFailed),
  pair(read.ratelimit.exceeded, ratelimit.exceeded),
  pair(read.ratelimit.shadowExceeded, ratelimit.shadowExceeded),
  pair(read.ratelimit.storeDown, ratelimit.storeDown),
  pair(read.ratelimit.storeUp, ratelimit.storeUp),
  pair(read.ratelimit.abuseScored, ratelimit.abuseScored),
  pair(read.ratelimit.blocked, ratelimit.blocked),
  pair(read.auth.acted, auth.acted),
  pair(read.tenancy.acted, tenancy.acted),
  pair(read.tenancy.quotaExceeded, tenancy.quotaExceeded),
  pair(read.audit.sealed, audit.sealed),
  pair(read.audit.sealingFailed, audit.sealingFailed),
  pair(read.idempotency.executed, idempotency.executed),
  pair(read.idempotency.replayed, idempotency.replayed),
  pair(read.idempotency.refused, idempotency.refused),
  pair(read.idempotency.leaseLost, idempotency.leaseLost),
];

const opened: { stop(): void }[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.stop();
});
function start() {
  const obs = createObs();
  obs.start();
  opened.push(obs);
  return obs;
}

test('the channels that are read are those that the packages publish, with the fields that they have', () => {
  for (const { ours, theirs } of pairs) expect(ours).toBe(theirs);
  const every = [
    read.jobs,
    read.webhooks,
    read.mail,
    read.ratelimit,
    read.auth,
    read.tenancy,
    read.audit,
    read.idempotency,
  ];
  expect(pairs).toHaveLength(3 + every.flatMap((each) => Object.values(each)).length);
});

test('events of jobs, webhooks, mail, limits and acts become metrics', async () => {
  const { metrics } = start();
  const attempt = { id: 'j', task: 'a', attempt: 1, group: null, tenantId: 't', traceparent: null };
  jobs.enqueued.publish('q', { task: 'a', ids: ['1', '2'], duplicates: 1 });
  jobs.started.publish('q', { ...attempt, waitedMs: 700 });
  jobs.completed.publish('q', { ...attempt, ranMs: 20 });
  jobs.failed.publish('q', { ...attempt, ranMs: 30, message: 'secret' });
  jobs.dead.publish('q', { id: 'j', task: 'a', attempt: 1, message: 'secret' });
  jobs.lost.publish('q', { id: 'j', task: 'a', by: 'found' });
  jobs.lost.publish('q', { id: 'j', task: 'a', by: 'noticed' });
  jobs.storeDown.publish('q', { reason: 'x' });
  const of = { tenantId: 't', endpointId: 'e', deliveryId: 'd', attempt: 1, durationMs: 40 };
  webhooks.attempted.publish('w', { ...of, result: 'retrying', status: 503 });
  webhooks.attempted.publish('w', { ...of, result: 'failed', status: null });
  mail.mailFailed.publish('m', {
    messageId: 'i',
    template: null,
    transport: 'smtp',
    durationMs: 1,
    code: null,
  });
  ratelimit.exceeded.publish('l', { limits: ['a', 'b'], retryAfterMs: 1, cached: false });
  auth.acted.publish('a', {
    type: 'auth.login.failed',
    outcome: 'failure',
    userId: 'u',
    details: {},
  });
  const values = async (name: string) => samplesOf(metrics, name);
  expect(await values('jobs_enqueued_total')).toEqual({ 'task="a"': 2 });
  expect(await values('jobs_wait_seconds_sum')).toEqual({ 'task="a"': 0.7 });
  expect(await values('jobs_attempt_duration_seconds_sum')).toEqual({
    'task="a",outcome="completed"': 0.02,
    'task="a",outcome="failed"': 0.03,
  });
  expect(await values('jobs_dead_total')).toEqual({ 'task="a"': 1 });
  expect(await values('jobs_lost_total')).toEqual({ 'task="a"': 1 });
  expect(await values('jobs_store_up')).toEqual({ 'queue="q"': 0 });
  expect(await values('webhooks_attempt_duration_seconds_count')).toEqual({
    'result="retrying",status="5xx"': 1,
    'result="failed",status="none"': 1,
  });
  expect(await values('mail_failed_total')).toEqual({
    'template="",transport="smtp",code="bug"': 1,
  });
  expect(await values('ratelimit_exceeded_total')).toEqual({
    'limit="a",mode="enforced"': 1,
    'limit="b",mode="enforced"': 1,
  });
  expect(await values('auth_acts_total')).toEqual({
    'type="auth.login.failed",outcome="failure"': 1,
  });
  expect(await textOf(metrics)).not.toContain('secret');
});

test('what is stopped hears nothing, and hears each event once when it is started again', async () => {
  const obs = start();
  obs.start();
  callRetried.publish('p', { attempt: 1, delayMs: 1 });
  obs.stop();
  callRetried.publish('p', { attempt: 1, delayMs: 1 });
  obs.start();
  callRetried.publish('p', { attempt: 1, delayMs: 1 });
  expect(await samplesOf(obs.metrics, 'http_client_retries_total')).toEqual({ 'policy="p"': 2 });
});

test('an event that cannot be recorded is logged once, and its publisher goes on', () => {
  const logger = recordingLogger();
  const obs = createObs({ logger });
  obs.start();
  opened.push(obs);
  for (let at = 0; at < 3; at += 1) jobs.enqueued.publish('q', null as never);
  expect(logger.lines).toMatchObject([
    { level: 'error', fields: { channel: 'svc.jobs.enqueued' } },
  ]);
});

test('calls of the guarded fetch are told by its name, never by the host', async () => {
  const { metrics } = start();
  const guarded = createGuardedFetch({ name: 'webhooks', connectTimeoutMs: 500 });
  await expect(guarded.fetch('https://127.0.0.1/', { method: 'POST' })).rejects.toThrow();
  guarded.stop();
  expect(await samplesOf(metrics, 'http_client_requests_total')).toEqual({
    'client="webhooks",http_request_method="POST",http_response_status_code="",error_type="http.outbound_refused"': 1,
  });
  breakerChanged.publish('database', { from: 'closed', to: 'open' });
  expect(await samplesOf(metrics, 'circuit_breaker_state')).toEqual({
    'breaker="database",state="closed"': 0,
    'breaker="database",state="open"': 1,
  });
});

test('a pool is told as it is at the scrape, with how long callers waited', async () => {
  const obs = start();
  await using connection = await connect('pglite://memory', { name: 'projects' });
  obs.watchDatabase(connection);
  await connection.ping();
  const { metrics } = obs;
  const pool = 'pool="projects"';
  expect(await samplesOf(metrics, 'db_pool_max')).toEqual({ [pool]: 1 });
  expect(await samplesOf(metrics, 'db_pool_idle')).toEqual({ [pool]: 1 });
  expect(await samplesOf(metrics, 'db_pool_in_use')).toEqual({ [pool]: 0 });
  expect(await samplesOf(metrics, 'db_pool_waiting')).toEqual({ [pool]: 0 });
  expect((await samplesOf(metrics, 'db_pool_wait_seconds_count'))[pool]).toBeGreaterThan(0);
  // There before the first error: an alert on a series that appears with its first error misses it.
  expect(await samplesOf(metrics, 'db_connection_errors_total')).toMatchObject({
    [`${pool},reason="lost"`]: 0,
  });
});

test('connections that are lost or not to be had are counted', async () => {
  const obs = start();
  await using server = await startPostgres();
  await using connection = await connect(server.superuserUrl, {
    poolSize: 2,
    connectTimeoutMs: 2000,
    acquireTimeoutMs: 2000,
  });
  obs.watchDatabase(connection);
  await connection.ping();
  await server.halt();
  await expect(connection.ping()).rejects.toThrow();
  await expect(connection.ping()).rejects.toThrow();
  const errors = await samplesOf(obs.metrics, 'db_connection_errors_total');
  expect(errors['pool="database",reason="lost"']).toBeGreaterThan(0);
  expect(errors['pool="database",reason="db.unavailable"']).toBeGreaterThan(0);
});

test('the runtime is told: event loop, collections, memory, processor', async () => {
  const { metrics } = start();
  for (let at = 0; at < 40; at += 1) {
    Array.from({ length: 50_000 }, () => ({ at }));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const text = await textOf(metrics);
  for (const name of [
    'nodejs_eventloop_delay_p99_seconds',
    'nodejs_eventloop_utilization_ratio',
    'v8js_gc_duration_seconds_count',
    'v8js_memory_heap_used_bytes',
    'process_resident_memory_bytes',
    'process_cpu_seconds_total',
  ])
    expect(text).toMatch(new RegExp(`^${name}(?:\\{.*\\})? [0-9.e-]+$`, 'm'));
  const { '': utilisation = -1 } = await samplesOf(metrics, 'nodejs_eventloop_utilization_ratio');
  expect(utilisation).toBeGreaterThan(0);
  expect(utilisation).toBeLessThanOrEqual(1);
});
