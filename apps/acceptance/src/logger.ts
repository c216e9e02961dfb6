import { pino } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { AppSettings } from './settings.ts';

/** JSON lines for machines, or readable ones for a person; to standard output (1), or to standard error (2). */
export function createLogger(
  { logLevel, logFormat }: Pick<AppSettings, 'logLevel' | 'logFormat'>,
  dest: 1 | 2 = 1,
) {
  const options = { level: logLevel, base: null };
  return logFormat === 'json'
    ? pino(options, pino.destination({ dest, sync: true }))
    : pino(
        options,
        PinoPretty({ destination: dest, colorize: true, translateTime: 'HH:MM:ss', sync: true }),
      );
}
