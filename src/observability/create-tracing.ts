import {
  createTraceState,
  ROOT_CONTEXT,
  type Context,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import { placeStages } from './place-stages.js';
import { parseTraceparent } from './traceparent.js';
import { COMPUTE, type TracedWork } from './traced-work.js';
import type { TracedRequest, TraceHeaders, Tracing } from './tracing.js';

/** Traces over a tracer of OpenTelemetry, which decides what is sampled. */
export function createTracing(tracer: Tracer, close: () => Promise<void>): Tracing {
  return {
    begin: (headers) => {
      // Spans are dated in the time of the day; `performance.now()` is the same for all of a request.
      const originMs = Date.now() - performance.now();
      const parent = readParent(headers);
      const span = tracer.startSpan('request', { kind: SpanKind.SERVER }, parent);
      const { traceId, spanId } = span.spanContext();
      const works: TracedWork[] | undefined = span.isRecording() ? [] : undefined;
      return {
        traceId,
        spanId,
        works,
        end: (request) => {
          if (works !== undefined) endSpans(request, works, { tracer, span, parent, originMs });
        },
      };
    },
    close,
  };
}

/** What is no `traceparent` begins a trace of its own. */
function readParent({ traceparent, tracestate }: TraceHeaders): Context {
  const parent = parseTraceparent(traceparent);
  if (parent === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: parent.traceId,
    spanId: parent.spanId,
    traceFlags: Number(parent.sampled),
    isRemote: true,
    ...(tracestate !== undefined && { traceState: createTraceState(String(tracestate)) }),
  });
}

interface SpanParts {
  readonly tracer: Tracer;
  readonly span: Span;
  readonly parent: Context;
  readonly originMs: number;
}

function endSpans(
  request: TracedRequest,
  works: readonly TracedWork[],
  { tracer, span, parent, originMs }: SpanParts,
): void {
  const own = trace.setSpan(parent, span);
  const add = (work: TracedWork, into: Context): Context => {
    const child = tracer.startSpan(work.name, { startTime: originMs + work.startMs }, into);
    if (work.failure !== undefined) fail(child, work.failure, originMs + work.endMs);
    child.end(originMs + work.endMs);
    return trace.setSpan(into, child);
  };
  span.updateName(request.name);
  span.setAttributes({ ...request.attributes, 'http.response.status_code': request.status });
  if (request.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  const compute = works.find(({ name }) => name === COMPUTE);
  const placed = placeStages(request.stages, compute ?? request);
  for (const work of works) {
    const context = add(work, own);
    if (work === compute) for (const stage of placed) add(stage, context);
  }
  if (compute === undefined) for (const stage of placed) add(stage, own);
  span.end(originMs + request.endMs);
}

/** The code of an error of ours and nothing else of it: messages may hold ids. */
function fail(span: Span, failure: unknown, time: number): void {
  const { code, name } = failure as { code?: string; name?: string };
  const message = code ?? name ?? 'unknown';
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.addEvent('exception', { 'exception.type': message }, time);
}
