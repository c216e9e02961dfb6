import type { Scopes } from '@svc/obs';
import { createLogger as createJsonLogger } from '@svc/obs/pino';
import { pino } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { AppSettings } from './settings.ts';

export interface LoggerOptions {
  /** Whose ids each line bears. @default none */
  scopes?: Scopes;
  /** To standard output (1), or to standard error (2). @default 1 */
  dest?: 1 | 2;
}

/** JSON lines for machines, or readable ones for a person. */
export function createLogger(
  { logLevel: level, logFormat }: Pick<AppSettings, 'logLevel' | 'logFormat'>,
  { scopes, dest = 1 }: LoggerOptions = {},
) {
  const destination =
    logFormat === 'json'
      ? pino.destination({ dest, sync: true })
      : PinoPretty({ destination: dest, colorize: true, translateTime: 'HH:MM:ss', sync: true });
  return createJsonLogger({ level, destination, ...(scopes !== undefined && { scopes }) });
}
