import { readdir } from 'node:fs/promises';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { type Clock, eventLoopTimes } from '@svc/core';
import type { Metrics } from '../metrics/registry.ts';

/** Node's `constants.NODE_PERFORMANCE_GC_*`. */
const gcKinds: Readonly<Record<number, string>> = {
  1: 'minor',
  2: 'minor',
  4: 'major',
  8: 'incremental',
  16: 'weakcb',
};

// Of the standard; the types do not know it.
const { supportedEntryTypes } = PerformanceObserver as unknown as {
  readonly supportedEntryTypes: readonly string[];
};
const knowsCollections = supportedEntryTypes.includes('gc');

/** The event loop, garbage collection and memory. What a runtime does not know is left out: on Bun utilisation and collections. */
export function runtimeRecorder(metrics: Metrics, clock: Clock) {
  const gauge = (name: string, help: string) => metrics.gauge({ name, help });
  const delay = {
    min: gauge(
      'nodejs_eventloop_delay_min_seconds',
      'Least delay of the event loop since the last scrape.',
    ),
    max: gauge(
      'nodejs_eventloop_delay_max_seconds',
      'Most delay of the event loop since the last scrape.',
    ),
    mean: gauge(
      'nodejs_eventloop_delay_mean_seconds',
      'Mean delay of the event loop since the last scrape.',
    ),
    p50: gauge(
      'nodejs_eventloop_delay_p50_seconds',
      'Median delay of the event loop since the last scrape.',
    ),
    p99: gauge(
      'nodejs_eventloop_delay_p99_seconds',
      '99th percentile of the delay of the event loop since the last scrape.',
    ),
  };
  const utilisation = gauge(
    'nodejs_eventloop_utilization_ratio',
    'Share of the time since the last scrape that the event loop was busy.',
  );
  const gc = metrics.histogram({
    name: 'v8js_gc_duration_seconds',
    help: 'Duration of garbage collections.',
    labels: ['v8js_gc_type'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
  });
  const heapUsed = gauge('v8js_memory_heap_used_bytes', 'Heap that is used.');
  const heapLimit = gauge('v8js_memory_heap_limit_bytes', 'The most heap there may be.');
  const external = gauge('nodejs_external_memory_bytes', 'Memory of buffers outside of the heap.');
  const resident = gauge('process_resident_memory_bytes', 'Resident memory.');
  const files = gauge('process_open_fds', 'Open file descriptors.');
  const cpu = metrics.counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time, user and system.',
  });
  gauge('process_start_time_seconds', 'When metrics began, in seconds since 1970.')
    .with({})
    .set(clock.now().getTime() / 1000);

  // 20 ms: at 10 ms sampling alone costs half a percent of a processor.
  const loop = monitorEventLoopDelay({ resolution: 20 });
  const collections = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind = 0 } = ((entry as { detail?: unknown }).detail ?? {}) as { kind?: number };
      gc.with({ v8js_gc_type: gcKinds[kind] ?? 'other' }).observe(entry.duration / 1000);
    }
  });
  let times = eventLoopTimes();
  let cpuSeconds = 0;
  let forget: (() => void) | undefined;

  const collectLoop = () => {
    const { min, max, mean } = loop;
    // Nothing was sampled yet.
    if (max > 0 && Number.isFinite(mean)) {
      const all = { min, max, mean, p50: loop.percentile(50), p99: loop.percentile(99) };
      for (const [name, series] of Object.entries(delay))
        series.with({}).set(all[name as keyof typeof all] / 1e9);
    }
    loop.reset();
    const now = eventLoopTimes();
    const active = now.activeMs - times.activeMs;
    const whole = active + now.idleMs - times.idleMs;
    if (whole > 0) utilisation.with({}).set(active / whole);
    times = now;
  };
  const collect = async () => {
    collectLoop();
    const memory = process.memoryUsage();
    heapUsed.with({}).set(memory.heapUsed);
    heapLimit.with({}).set(getHeapStatistics().heap_size_limit);
    external.with({}).set(memory.external);
    resident.with({}).set(memory.rss);
    const { user, system } = process.cpuUsage();
    const seconds = (user + system) / 1e6;
    cpu.with({}).add(Math.max(0, seconds - cpuSeconds));
    cpuSeconds = seconds;
    // Linux alone has it.
    const open = await readdir('/proc/self/fd').catch(() => undefined);
    if (open !== undefined) files.with({}).set(open.length);
  };

  return {
    start() {
      if (forget !== undefined) return;
      loop.enable();
      if (knowsCollections) collections.observe({ entryTypes: ['gc'] });
      forget = metrics.beforeScrape(collect);
    },
    stop() {
      loop.disable();
      collections.disconnect();
      forget?.();
      forget = undefined;
    },
  };
}
