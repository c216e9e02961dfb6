import { breakerChanged, callEnded, callRetried, sheddingChanged } from '@svc/http';
import type { Metrics } from '../metrics/registry.ts';
import { foldMethod } from '../http-methods.ts';
import type { Listen } from './listen.ts';

/**
 * `http_client_*`, breakers, retries and load shedding. The host that was called is no label: of webhooks others choose it,
 * so the name of the guarded fetch stands for it.
 */
export function recordHttpClient(metrics: Metrics, listen: Listen): void {
  const labels = [
    'client',
    'http_request_method',
    'http_response_status_code',
    'error_type',
  ] as const;
  const requests = metrics.counter({
    name: 'http_client_requests_total',
    help: 'Calls to other services that ended.',
    labels,
  });
  const took = metrics.histogram({
    name: 'http_client_request_duration_seconds',
    help: 'Duration of calls to other services.',
    labels,
  });
  const sizes = metrics.histogram({
    name: 'http_client_response_body_size_bytes',
    help: 'Size of the bodies of answers, after unpacking.',
    labels: ['client'],
    buckets: [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000],
  });
  const states = metrics.gauge({
    name: 'circuit_breaker_state',
    help: '1 for the state that the breaker is in.',
    labels: ['breaker', 'state'],
  });
  const retries = metrics.counter({
    name: 'http_client_retries_total',
    help: 'Calls that were tried again, by policy.',
    labels: ['policy'],
  });
  const shedding = metrics.gauge({
    name: 'http_server_shedding_level',
    help: 'From 0, nothing is shed, to 3.',
    labels: ['shedder'],
  });
  listen(callEnded, ({ method, status, error, durationMs, responseBytes }, client) => {
    const of = {
      client,
      http_request_method: foldMethod(method),
      http_response_status_code: status === null ? '' : String(status),
      error_type: error ?? (status !== null && status >= 400 ? String(status) : ''),
    };
    requests.with(of).add();
    took.with(of).observe(durationMs / 1000);
    if (status !== null) sizes.with({ client }).observe(responseBytes);
  });
  listen(breakerChanged, ({ from, to }, breaker) => {
    states.with({ breaker, state: from }).set(0);
    states.with({ breaker, state: to }).set(1);
  });
  listen(callRetried, (_, policy) => retries.with({ policy }).add());
  listen(sheddingChanged, ({ level }, shedder) => shedding.with({ shedder }).set(level));
}
