import { type Duration, toMs } from '@svc/core';
import { durationBuckets } from '../metrics/registry.ts';
import type { RouteClass } from '../route-class.ts';

/** What is promised to those who call some routes. */
export interface Slo {
  readonly name: string;
  /** The share of requests that do not fail with a 5xx. */
  readonly objective: number;
  /** The matchers of PromQL that choose the requests. */
  readonly selector: string;
  readonly latency: { readonly underSeconds: number; readonly objective: number } | undefined;
  /** Requests per second below which nothing is alerted on: of few, each single one would burn a month's budget. */
  readonly minRate: number;
}

export interface SloOptions {
  /** Lower-case words joined by dashes. */
  name: string;
  /** From 0.94, where the fastest alert could still fire, to below 1. */
  objective: number;
  /** A class, or patterns of routes as the app writes them. */
  routes: RouteClass | readonly string[];
  /** How many are faster than `under`, which is a bound of the buckets. @default none */
  latency?: { under: Duration; objective: number };
  /** Requests per second. @default 0.02, a little more than one a minute */
  minRate?: number;
}

/** Declares an objective. @throws {TypeError} on a share that no alert could hold to, or a time between two buckets. */
export function slo({ name, objective, routes, latency, minRate = 0.02 }: SloOptions): Slo {
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name))
    throw new TypeError('the name of an SLO is lower-case words joined by dashes');
  requireShare(objective);
  if (!(minRate >= 0)) throw new TypeError('minRate is a number of requests per second');
  return { name, objective, selector: selectorOf(routes), latency: latencyOf(latency), minRate };
}

function latencyOf(latency: SloOptions['latency']): Slo['latency'] {
  if (latency === undefined) return undefined;
  requireShare(latency.objective);
  const underSeconds = toMs(latency.under) / 1000;
  if (!durationBuckets.includes(underSeconds))
    throw new TypeError(`latency.under is one of ${durationBuckets.join(', ')} seconds`);
  return { underSeconds, objective: latency.objective };
}

function requireShare(objective: number): void {
  if (!(objective >= 0.94 && objective < 1))
    throw new TypeError('an objective is a share from 0.94 to below 1');
}

function selectorOf(routes: SloOptions['routes']): string {
  if (typeof routes === 'string') return `route_class="${routes}"`;
  if (routes.length === 0) throw new TypeError('an SLO has routes');
  // A label is matched as a whole; the backslashes of the expression are escaped once more by PromQL.
  const expression = routes
    .map((route) => route.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('|');
  return `http_route=~${JSON.stringify(expression)}`;
}
