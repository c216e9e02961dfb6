import type { Logger } from '@svc/core';
import { Redis } from 'ioredis';

/** A Redis client that answers at once when the server is away, and finds it again by itself. */
export function connectRedis(url: string, logger: Logger) {
  const client = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2000,
    retryStrategy: (attempt) => Math.min(100 * attempt, 1000),
  });
  let away = false;
  // ioredis reports each failed attempt; one line per outage is enough.
  client.on('error', (error: Error) => {
    if (!away) logger.warn({ reason: error.name }, 'Redis is away');
    away = true;
  });
  client.on('ready', () => {
    if (away) logger.info({}, 'Redis is back');
    away = false;
  });
  return {
    client,
    disconnect: () => client.disconnect(),
  };
}
