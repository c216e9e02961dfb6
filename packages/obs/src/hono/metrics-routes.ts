import { constantTimeEqual } from '@svc/core';
import { operation } from '@svc/http/hono';
import { Hono } from 'hono';
import * as v from 'valibot';
import { MetricsRefused } from '../failures.ts';
import { contentTypes, type MetricsFormat } from '../metrics/exposition.ts';
import type { Metrics } from '../metrics/registry.ts';

export interface MetricsRoutesOptions {
  /** What a scraper sends as `Authorization: Bearer …`. @default anybody may read */
  token?: string | undefined;
}

/** `GET /metrics`, in OpenMetrics for who asks for it, packed for who takes gzip. @throws {MetricsRefused} */
export function metricsRoutes(
  metrics: Pick<Metrics, 'scrape'>,
  { token }: MetricsRoutesOptions = {},
) {
  const described = operation({
    id: 'metrics',
    summary: 'Read the metrics of this process',
    tags: ['Probes'],
    security: 'none',
    hidden: true,
    responses: {
      200: { description: 'All of them', schema: v.string(), contentType: 'text/plain' },
    },
    failures: token === undefined ? [] : [MetricsRefused],
  });
  return new Hono().get('/metrics', described, async (c) => {
    if (token !== undefined && !bears(c.req.header('authorization'), token))
      throw new MetricsRefused();
    const asked = c.req.header('accept') ?? '';
    const format: MetricsFormat = asked.includes('application/openmetrics-text')
      ? 'openmetrics'
      : 'text';
    const slices = await metrics.scrape(format);
    const headers = {
      'content-type': contentTypes[format],
      'cache-control': 'no-store',
      vary: 'accept, accept-encoding',
    };
    if (!/\bgzip\b/.test(c.req.header('accept-encoding') ?? ''))
      return c.body(streamOf(slices), 200, headers);
    // Packed beside the event loop.
    const packed = streamOf(slices).pipeThrough(new CompressionStream('gzip'));
    return c.body(packed, 200, { ...headers, 'content-encoding': 'gzip' });
  });
}

function bears(header: string | undefined, token: string): boolean {
  const given = /^Bearer (.+)$/i.exec(header ?? '')?.[1];
  return given !== undefined && constantTimeEqual(given, token);
}

function streamOf(slices: readonly Uint8Array[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    pull(out) {
      const slice = slices[at];
      at += 1;
      if (slice === undefined) out.close();
      else out.enqueue(slice as Uint8Array<ArrayBuffer>);
    },
  });
}
