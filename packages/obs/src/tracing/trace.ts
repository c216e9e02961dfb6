import { readBaggage } from './baggage.ts';
import { readTraceparent, type TraceParent, toTraceparent } from './traceparent.ts';
import { readTracestate } from './tracestate.ts';

/** The trace that the code which runs now belongs to, and its own span in it. */
export interface Trace extends TraceParent {
  /** As it came, to be handed on; empty where there was none. */
  readonly tracestate: string;
  readonly baggage: string;
}

/** A trace as another process told of it. */
export interface IncomingTrace {
  readonly parent: TraceParent;
  readonly tracestate: string;
  readonly baggage: string;
}

/** Whose headers are believed: at the `edge` nobody's, within a `mesh` those of the services that call. */
export type Trust = 'edge' | 'mesh';

/** Reads `traceparent`, `tracestate` and `baggage` of a request. */
export function readTrace(
  header: (name: string) => string | undefined | null,
  trust: Trust,
): IncomingTrace | undefined {
  if (trust === 'edge') return undefined;
  const parent = readTraceparent(header('traceparent') ?? undefined);
  if (parent === undefined) return undefined;
  return {
    parent,
    tracestate: readTracestate(header('tracestate') ?? undefined) ?? '',
    baggage: readBaggage(header('baggage') ?? undefined) ?? '',
  };
}

/** The headers that carry a trace on. */
export const traceHeaders = (
  trace: Trace,
  { baggage }: { readonly baggage: boolean },
): Record<string, string> => ({
  traceparent: toTraceparent(trace),
  ...(trace.tracestate !== '' && { tracestate: trace.tracestate }),
  ...(baggage && trace.baggage !== '' && { baggage: trace.baggage }),
});
