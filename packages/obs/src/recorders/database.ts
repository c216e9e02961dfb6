import type { Metrics } from '../metrics/registry.ts';
import { connectionAcquired, connectionFailed, connectionLost } from './channels.ts';
import type { Listen } from './listen.ts';

/** A pool of connections; a `Connection` of `@svc/db` fits. */
export interface WatchedPool {
  readonly name: string;
  pool(): {
    readonly max: number;
    readonly busy: number;
    readonly idle: number;
    readonly waiting: number;
  };
}

/** `db_pool_*`, looked up at each scrape, and `db_connection_errors_total`. */
export function databaseRecorder(metrics: Metrics, listen: Listen) {
  const gauge = (name: string, help: string) => metrics.gauge({ name, help, labels: ['pool'] });
  const gauges = {
    busy: gauge('db_pool_in_use', 'Connections that somebody uses.'),
    idle: gauge('db_pool_idle', 'Connections that are open and free.'),
    waiting: gauge('db_pool_waiting', 'Callers that wait for a connection.'),
    max: gauge('db_pool_max', 'The most connections there may be.'),
  };
  const wait = metrics.histogram({
    name: 'db_pool_wait_seconds',
    help: 'How long callers waited for a connection, whether they got one or not.',
    labels: ['pool'],
  });
  const errors = metrics.counter({
    name: 'db_connection_errors_total',
    help: 'Connections that were lost or could not be had, by reason.',
    labels: ['pool', 'reason'],
  });
  listen(connectionAcquired, ({ waitedMs }, pool) => wait.with({ pool }).observe(waitedMs / 1000));
  listen(connectionFailed, ({ reason }, pool) => errors.with({ pool, reason }).add());
  listen(connectionLost, (_, pool) => errors.with({ pool, reason: 'lost' }).add());

  return {
    watch(pool: WatchedPool): () => void {
      const labels = { pool: pool.name };
      // An alert needs the series to be there before the first error.
      errors.with({ ...labels, reason: 'lost' }).add(0);
      errors.with({ ...labels, reason: 'db.unavailable' }).add(0);
      return metrics.beforeScrape(() => {
        const figures = pool.pool();
        gauges.busy.with(labels).set(figures.busy);
        gauges.idle.with(labels).set(figures.idle);
        gauges.waiting.with(labels).set(figures.waiting);
        gauges.max.with(labels).set(figures.max);
      });
    },
  };
}
