import { channel } from 'node:diagnostics_channel';
import type { Clock } from '@svc/core';
import type { Metrics } from '../metrics/registry.ts';

/** A client; one of ioredis fits. */
export interface WatchedRedis {
  /** `ready` while it is connected. */
  readonly status: string;
}

interface Command {
  readonly command: string;
  readonly error?: unknown;
}

/** Of every ioredis client of the process, from the channels that ioredis 6 publishes itself. */
export function redisRecorder(metrics: Metrics, clock: Clock) {
  const took = metrics.histogram({
    name: 'redis_command_duration_seconds',
    help: 'How long commands to Redis took.',
    labels: ['command'],
  });
  const errors = metrics.counter({
    name: 'redis_command_errors_total',
    help: 'Commands to Redis that failed.',
    labels: ['command'],
  });
  const connected = metrics.gauge({
    name: 'redis_connected',
    help: '1 while the client is connected, 0 while it is not.',
    labels: ['client'],
  });
  const began = new WeakMap<object, number>();
  // A subscriber must not throw: these do not.
  const onStart = (message: unknown) => void began.set(message as Command, clock.elapsedMs());
  const onError = ({ command }: Command) => errors.with({ command }).add();
  const onEnd = (message: unknown) => {
    const beganAtMs = began.get(message as Command);
    if (beganAtMs === undefined) return;
    const { command } = message as Command;
    took.with({ command }).observe((clock.elapsedMs() - beganAtMs) / 1000);
  };
  const listeners = [
    ['start', onStart],
    ['asyncEnd', onEnd],
    ['error', (message: unknown) => onError(message as Command)],
  ] as const;
  const named = (event: string) => channel(`tracing:ioredis:command:${event}`);

  return {
    start() {
      for (const [event, listener] of listeners) named(event).subscribe(listener);
    },
    stop() {
      for (const [event, listener] of listeners) named(event).unsubscribe(listener);
    },
    watch: (client: WatchedRedis, name = 'redis'): (() => void) =>
      metrics.beforeScrape(() =>
        connected.with({ client: name }).set(client.status === 'ready' ? 1 : 0),
      ),
  };
}
