export { observe, type ObserveOptions } from './hono/observe.ts';
export { metricsRoutes, type MetricsRoutesOptions } from './hono/metrics-routes.ts';
