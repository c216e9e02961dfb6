import {
  createTraceState,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind as OtelKind,
  SpanStatusCode,
  trace as otel,
  TraceFlags,
  type Tracer as OtelTracer,
} from '@opentelemetry/api';
import type { IncomingTrace, Trace } from './tracing/trace.ts';
import { idTracer, type Span, type SpanKind, type Tracer } from './tracing/tracer.ts';

const kinds: Readonly<Record<SpanKind, OtelKind>> = {
  server: OtelKind.SERVER,
  client: OtelKind.CLIENT,
  consumer: OtelKind.CONSUMER,
};

/** Makes the spans of a tracer of `@opentelemetry/api`: those of the SDK that the app has installed, and ids alone where it has none. */
export function openTelemetryTracer(
  tracer: OtelTracer = otel.getTracer('@svc/obs'),
  fallback: Tracer = idTracer(),
): Tracer {
  return {
    start(start) {
      const { name, kind, parent, attributes } = start;
      const span = tracer.startSpan(
        name,
        { kind: kinds[kind], attributes: { ...attributes } },
        parent === undefined ? ROOT_CONTEXT : otel.setSpanContext(ROOT_CONTEXT, remote(parent)),
      );
      const { traceId, spanId, traceFlags } = span.spanContext();
      // Without an SDK its context is that of the parent, or none.
      const isOwn = isSpanContextValid(span.spanContext()) && spanId !== parent?.parent.spanId;
      if (!isOwn) return fallback.start(start);
      const trace: Trace = {
        traceId,
        spanId,
        sampled: (traceFlags & TraceFlags.SAMPLED) !== 0,
        random: parent?.parent.random ?? true,
        tracestate: span.spanContext().traceState?.serialize() ?? parent?.tracestate ?? '',
        baggage: parent?.baggage ?? '',
      };
      const end: Span['end'] = (outcome) => {
        if (outcome.name !== undefined) span.updateName(outcome.name);
        if (outcome.attributes !== undefined) span.setAttributes({ ...outcome.attributes });
        if (outcome.error !== undefined) {
          span.setAttribute('error.type', outcome.error);
          span.setStatus({ code: SpanStatusCode.ERROR });
        }
        span.end();
      };
      return { trace, end };
    },
  };
}

const remote = ({ parent, tracestate }: IncomingTrace) => ({
  traceId: parent.traceId,
  spanId: parent.spanId,
  traceFlags: parent.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
  ...(tracestate !== '' && { traceState: createTraceState(tracestate) }),
  isRemote: true,
});
