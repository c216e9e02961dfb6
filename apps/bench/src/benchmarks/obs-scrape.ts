import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '@svc/core';
import { createMetrics } from '@svc/obs';
import { Histogram, Registry } from 'prom-client';
import { type Benchmark, type Prepared, type Sample, WrongAnswer } from '../benchmark.ts';

const histograms = 20_000;
const buckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** For how long a scrape holds up everybody else: the longest delay of the event loop in each. */
export const obsScrape: Benchmark = {
  name: 'obs-scrape',
  summary: `scrapes of ${histograms} histograms of ${buckets.length} buckets; the latency is the longest delay of the event loop during one`,
  reference: 'prom-client',
  goals: [{ variant: 'createMetrics', figure: 'p50Ms', atMost: 10 }],
  prepare,
};

async function prepare(): Promise<Prepared> {
  const metrics = createMetrics({ maxSeries: histograms });
  const ours = metrics.histogram({ name: 'took_seconds', help: 'X.', labels: ['id'], buckets });
  const register = new Registry();
  const of = { name: 'took_seconds', help: 'X.', labelNames: ['id'], buckets };
  const theirs = new Histogram({ ...of, registers: [register] });
  for (let at = 0; at < histograms; at += 1) {
    ours.with({ id: String(at) }).observe(at % 11);
    theirs.observe({ id: String(at) }, at % 11);
  }
  const measure = async (durationMs: number, scrape: () => Promise<number>): Promise<Sample> => {
    const delays = monitorEventLoopDelay({ resolution: 1 });
    const begunAt = systemClock.elapsedMs();
    const latenciesMs: number[] = [];
    while (systemClock.elapsedMs() - begunAt < durationMs || latenciesMs.length === 0) {
      delays.reset();
      delays.enable();
      // The sampler needs a turn before and after, or it sees nothing of what stands between.
      await systemClock.sleep(5);
      const bytes = await scrape();
      await systemClock.sleep(5);
      delays.disable();
      if (bytes < histograms * 500) throw new WrongAnswer(`a scrape had ${bytes} bytes`);
      latenciesMs.push(delays.max / 1e6);
    }
    const elapsedMs = systemClock.elapsedMs() - begunAt;
    return { operations: latenciesMs.length, elapsedMs, latenciesMs };
  };
  const ourBytes = async () =>
    (await metrics.scrape()).reduce((sum, { byteLength }) => sum + byteLength, 0);
  const theirBytes = async () => Buffer.byteLength(await register.metrics());
  return {
    variants: [
      { name: 'prom-client', run: (ms) => measure(ms, theirBytes) },
      { name: 'createMetrics', run: (ms) => measure(ms, ourBytes) },
    ],
    [Symbol.asyncDispose]: async () => register.clear(),
  };
}
