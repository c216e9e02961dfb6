import { pino } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { AppSettings } from './settings.ts';

/** JSON lines for machines, or readable ones for a person; to standard output either way. */
export function createLogger({ logLevel, logFormat }: Pick<AppSettings, 'logLevel' | 'logFormat'>) {
  const options = { level: logLevel, base: null };
  return logFormat === 'json'
    ? pino(options, pino.destination({ dest: 1, sync: true }))
    : pino(options, PinoPretty({ colorize: true, translateTime: 'HH:MM:ss', sync: true }));
}
