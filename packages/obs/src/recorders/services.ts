import type { Metrics } from '../metrics/registry.ts';
import { audit, auth, idempotency, mail, ratelimit, tenancy, webhooks } from './channels.ts';
import type { Listen } from './listen.ts';

/** `webhooks_*`, outgoing and incoming. */
export function recordWebhooks(metrics: Metrics, listen: Listen): void {
  const published = metrics.counter({
    name: 'webhooks_published_total',
    help: 'Events that were published, by type.',
    labels: ['type'],
  });
  const took = metrics.histogram({
    name: 'webhooks_attempt_duration_seconds',
    help: 'How long tries of deliveries took, by result and class of the answer.',
    labels: ['result', 'status'],
  });
  const incoming = metrics.counter({
    name: 'webhooks_incoming_total',
    help: 'Webhooks of others that came in, by source and result.',
    labels: ['source', 'result'],
  });
  listen(webhooks.published, ({ type }) => published.with({ type }).add());
  listen(webhooks.attempted, ({ result, status, durationMs }) => {
    // Whatever an endpoint answers: its class alone, or it would make the series.
    const kind = status === null ? 'none' : `${Math.trunc(status / 100)}xx`;
    took.with({ result, status: kind }).observe(durationMs / 1000);
  });
  listen(webhooks.incoming, ({ source, result }) => incoming.with({ source, result }).add());
}

/** `mail_*`. */
export function recordMail(metrics: Metrics, listen: Listen): void {
  const sent = metrics.histogram({
    name: 'mail_send_duration_seconds',
    help: 'How long mails took that a transport accepted.',
    labels: ['template', 'transport'],
  });
  const failed = metrics.counter({
    name: 'mail_failed_total',
    help: 'Mails that a transport did not accept, by code.',
    labels: ['template', 'transport', 'code'],
  });
  listen(mail.sent, ({ template, transport, durationMs }) =>
    sent.with({ template: template ?? '', transport }).observe(durationMs / 1000),
  );
  listen(mail.failed, ({ template, transport, code }) =>
    failed.with({ template: template ?? '', transport, code: code ?? 'bug' }).add(),
  );
}

/** `ratelimit_*` and `abuse_*`. */
export function recordLimits(metrics: Metrics, listen: Listen): void {
  const exceeded = metrics.counter({
    name: 'ratelimit_exceeded_total',
    help: 'Checks that were refused, by limit; of a limit in shadow mode those that would have been.',
    labels: ['limit', 'mode'],
  });
  const up = metrics.gauge({
    name: 'ratelimit_store_up',
    help: '1 while the store of the limits answers, 0 while it does not.',
    labels: ['limiter'],
  });
  const signals = metrics.counter({
    name: 'abuse_signals_total',
    help: 'What callers did that counted against them.',
    labels: ['signal'],
  });
  const blocked = metrics.counter({
    name: 'abuse_blocked_total',
    help: 'Callers that were cut off, by reason.',
    labels: ['reason'],
  });
  listen(ratelimit.exceeded, ({ limits }) => {
    for (const limit of limits) exceeded.with({ limit, mode: 'enforced' }).add();
  });
  listen(ratelimit.shadowExceeded, ({ limit }) => exceeded.with({ limit, mode: 'shadow' }).add());
  listen(ratelimit.storeDown, (_, limiter) => up.with({ limiter }).set(0));
  listen(ratelimit.storeUp, (_, limiter) => up.with({ limiter }).set(1));
  listen(ratelimit.abuseScored, ({ signal }) => signals.with({ signal }).add());
  listen(ratelimit.blocked, ({ reason }) => blocked.with({ reason }).add());
}

/** `auth_acts_total`, `tenancy_*`, `audit_*` and `idempotency_requests_total`. */
export function recordActs(metrics: Metrics, listen: Listen): void {
  const acts = (name: string, help: string) =>
    metrics.counter({ name, help, labels: ['type', 'outcome'] });
  const authActs = acts('auth_acts_total', 'What happened to accounts.');
  const tenancyActs = acts('tenancy_acts_total', 'What happened to tenants.');
  const quotas = metrics.counter({
    name: 'tenancy_quota_exceeded_total',
    help: 'Requests of tenants beyond their plan.',
    labels: ['quota'],
  });
  const sealed = metrics.counter({
    name: 'audit_entries_total',
    help: 'Entries that were sealed into the audit log.',
  });
  const unsealed = metrics.counter({
    name: 'audit_sealing_failures_total',
    help: 'Steps of sealing the audit log that failed.',
    labels: ['step'],
  });
  const requests = metrics.counter({
    name: 'idempotency_requests_total',
    help: 'Requests with an idempotency key, by what became of them.',
    labels: ['result'],
  });
  listen(auth.acted, ({ type, outcome }) => authActs.with({ type, outcome }).add());
  listen(tenancy.acted, ({ type, outcome }) => tenancyActs.with({ type, outcome }).add());
  listen(tenancy.quotaExceeded, ({ quota }) => quotas.with({ quota }).add());
  listen(audit.sealed, ({ entries }) => sealed.with({}).add(entries));
  listen(audit.sealingFailed, ({ step }) => unsealed.with({ step }).add());
  listen(idempotency.executed, () => requests.with({ result: 'executed' }).add());
  listen(idempotency.replayed, () => requests.with({ result: 'replayed' }).add());
  listen(idempotency.refused, ({ code }) => requests.with({ result: code }).add());
  listen(idempotency.leaseLost, () => requests.with({ result: 'lease_lost' }).add());
}
