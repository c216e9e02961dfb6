import type { MeasuredIn } from '../metrics/families.ts';
import type { Metrics } from '../metrics/registry.ts';
import { foldMethod } from '../http-methods.ts';
import type { RouteClass } from '../route-class.ts';

/** One request, as it begins. */
export interface ServerRequest {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** `1.1`; empty where the server does not say. */
  readonly protocolVersion: string;
}

/** How it ended. */
export interface ServerAnswer {
  readonly status: number;
  /** The pattern of the route, never the path; empty where no route matched. */
  readonly route: string;
  readonly routeClass: RouteClass;
  readonly durationMs: number;
  /** The name of what was thrown and is not a failure. */
  readonly exception: string | undefined;
  readonly requestBytes: number | undefined;
  readonly responseBytes: number | undefined;
  readonly measuredIn: MeasuredIn | undefined;
}

const sizeBuckets = [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/** `http_server_*`, with the names, units, buckets and attributes of the OpenTelemetry semantic conventions 1.23 and later. */
export function httpServerRecorder(metrics: Metrics) {
  const attributes = [
    'http_request_method',
    'url_scheme',
    'http_response_status_code',
    'http_route',
    'error_type',
    'network_protocol_version',
    'route_class',
  ] as const;
  const took = metrics.histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Duration of HTTP server requests.',
    labels: attributes,
  });
  const requests = metrics.counter({
    name: 'http_server_requests_total',
    help: 'HTTP server requests that were answered.',
    labels: ['http_request_method', 'http_response_status_code', 'http_route', 'route_class'],
  });
  const active = metrics.gauge({
    name: 'http_server_active_requests',
    help: 'Number of active HTTP server requests.',
    labels: ['http_request_method', 'url_scheme'],
  });
  const exceptions = metrics.counter({
    name: 'http_server_exceptions_total',
    help: 'Requests that something threw in which is no failure, by its name.',
    labels: ['http_route', 'error_type'],
    maxSeries: 200,
  });
  const size = (name: string, help: string) =>
    metrics.histogram({ name, help, labels: ['http_route'], buckets: sizeBuckets });
  const requestSize = size(
    'http_server_request_body_size_bytes',
    'Size of request bodies whose length was declared.',
  );
  const responseSize = size(
    'http_server_response_body_size_bytes',
    'Size of response bodies whose length is known.',
  );

  return {
    begin({ method: given, scheme, protocolVersion }: ServerRequest) {
      const method = foldMethod(given);
      const inFlight = active.with({ http_request_method: method, url_scheme: scheme });
      inFlight.add(1);
      return (answer: ServerAnswer): void => {
        inFlight.add(-1);
        const { route, routeClass, measuredIn } = answer;
        const status = String(answer.status);
        requests
          .with({
            http_request_method: method,
            http_response_status_code: status,
            http_route: route,
            route_class: routeClass,
          })
          .add();
        took
          .with({
            http_request_method: method,
            url_scheme: scheme,
            http_response_status_code: status,
            http_route: route,
            error_type: answer.status >= 500 ? status : '',
            network_protocol_version: protocolVersion,
            route_class: routeClass,
          })
          .observe(answer.durationMs / 1000, measuredIn);
        if (answer.exception !== undefined)
          exceptions.with({ http_route: route, error_type: answer.exception }).add();
        if (answer.requestBytes !== undefined)
          requestSize.with({ http_route: route }).observe(answer.requestBytes);
        if (answer.responseBytes !== undefined)
          responseSize.with({ http_route: route }).observe(answer.responseBytes);
      };
    },
  };
}
