import type { Logger as LoggerPort } from '@svc/core';
import { type DestinationStream, pino } from 'pino';
import { createRedaction, type RedactionOptions } from './redaction.ts';
import type { Scopes } from './scope.ts';

export interface LoggerOptions {
  /** @default 'info' */
  level?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Whose ids each line bears; share them with `createObs`. @default none */
  scopes?: Scopes;
  /** What is taken out beside the defaults. @default nothing */
  redact?: RedactionOptions;
  /** Where lines go. @default standard output, each written before the call returns, so that none is lost when the process ends */
  destination?: DestinationStream;
}

/** JSON lines with the ids of the request, the trace, the tenant and the principal, and without secrets. */
export function createLogger({
  level = 'info',
  scopes,
  redact,
  destination = pino.destination({ dest: 1, sync: true }),
}: LoggerOptions = {}): LoggerPort {
  const redaction = createRedaction(redact);
  const hide = (fields: object) => redaction.fields(fields) as Record<string, unknown>;
  const logger = pino(
    {
      level,
      base: null,
      mixin: (_fields, _level, current) => idsOf(scopes, boundTo(current)),
      formatters: { log: hide },
      // Errors are made plain by then, without what drivers hang on to them.
      serializers: { err: (error: unknown) => error },
      hooks: {
        logMethod(given, method) {
          const [fields, message] = given as unknown as [object, string | undefined];
          if (typeof message === 'string') method.call(this, fields, redaction.text(message));
          else method.apply(this, given);
        },
      },
    },
    destination,
  );
  // What children are bound to passes no formatter; they inherit this.
  const { child } = logger;
  logger.child = function hidingChild(this: typeof logger, fields: object, ...rest: []) {
    return child.call(this, hide(fields), ...rest);
  } as typeof child;
  return logger;
}

const boundTo = (logger: object) =>
  (logger as Record<symbol, string>)[pino.symbols.chindingsSym] ?? '';

function idsOf(scopes: Scopes | undefined, bound: string): Record<string, string> {
  const scope = scopes?.current();
  if (scope === undefined) return {};
  const { trace, requestId, tenantId, principalId } = scope;
  // JSON with a name twice is read in more than one way: what the logger bears already is left out.
  const ids: Record<string, string> = { traceId: trace.traceId, spanId: trace.spanId };
  const add = (name: string, id: string | undefined) => {
    if (id !== undefined && !bound.includes(`"${name}":`)) ids[name] = id;
  };
  add('requestId', requestId);
  add('tenantId', tenantId);
  add('principalId', principalId);
  return ids;
}

/** Writes a last line when the process ends by an error that nobody caught; it ends all the same. Gives back what ends this. */
export function logUncaught(logger: LoggerPort): () => void {
  const onUncaught = (error: unknown, origin: string) =>
    logger.error({ err: error, origin }, 'an error that nobody caught ends the process');
  // Node throws it by itself, Bun ends without a word to the monitor.
  const onRejected = (error: unknown) => {
    throw error;
  };
  process.on('uncaughtExceptionMonitor', onUncaught);
  process.on('unhandledRejection', onRejected);
  return () => {
    process.off('uncaughtExceptionMonitor', onUncaught);
    process.off('unhandledRejection', onRejected);
  };
}
