import type { TracedWork } from './traced-work.js';

/** Makes OpenTelemetry traces of requests. */
export interface Tracing {
  /** Begins the trace of a request, or goes on with that of its `traceparent` (W3C Trace Context). */
  begin(headers: TraceHeaders): RequestTrace;
  /** Sends what waits, where the collector takes it soon. */
  close(): Promise<void>;
}

/** Of the request, by name in lower case. */
export type TraceHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** The trace of one request, from its arrival to its answer. */
export interface RequestTrace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Of the request's own span: 16 hexadecimal digits. */
  readonly spanId: string;
  /** Where what the request waits for is to be noted; absent where the request is not sampled. */
  readonly works?: TracedWork[] | undefined;
  /** Ends the trace; nothing is sent before. */
  end(request: TracedRequest): void;
}

/** What a trace says of a request. */
export interface TracedRequest {
  /** The method and the route's pattern. */
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly status: number;
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
  /** How the stages of the pipeline went, in the order in which they ended. */
  readonly stages: readonly TracedStage[];
}

/** One stage of the pipeline in a trace. */
export interface TracedStage {
  readonly stage: string;
  readonly milliseconds: number;
  readonly outcome: string;
  readonly cause?: unknown;
}
