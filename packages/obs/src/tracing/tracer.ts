import { randomBytes as systemRandom, type RandomBytes } from '@svc/core';
import type { IncomingTrace, Trace } from './trace.ts';
import { createTraceIds } from './traceparent.ts';

export type SpanKind = 'server' | 'client' | 'consumer';
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Something that takes time, as it begins. */
export interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  /** What it is part of; without one it begins a trace. */
  readonly parent: IncomingTrace | undefined;
  readonly attributes: SpanAttributes;
}

export interface Span {
  readonly trace: Trace;
  /** Ends it; `error` names what went wrong, in few words that are always the same. */
  end(outcome: {
    readonly name?: string;
    readonly attributes?: SpanAttributes;
    readonly error?: string | undefined;
  }): void;
}

/** Makes spans. */
export interface Tracer {
  start(span: SpanStart): Span;
}

/** Gives ids and keeps no span: what is used until there is an OpenTelemetry SDK. A trace that begins here is not sampled. */
export function idTracer({
  randomBytes = systemRandom,
}: { randomBytes?: RandomBytes } = {}): Tracer {
  const newId = createTraceIds(randomBytes);
  return {
    start({ parent }) {
      const trace: Trace = {
        traceId: parent?.parent.traceId ?? newId(16),
        spanId: newId(8),
        sampled: parent?.parent.sampled ?? false,
        random: parent?.parent.random ?? true,
        tracestate: parent?.tracestate ?? '',
        baggage: parent?.baggage ?? '',
      };
      return { trace, end: () => undefined };
    },
  };
}
