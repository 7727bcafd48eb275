/** The trace that a request is part of, as its sender says. */
export interface Traceparent {
  /** 32 hexadecimal digits, not all of them 0. */
  readonly traceId: string;
  /** 16 hexadecimal digits, not all of them 0: the span of the sender. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const FORM = /^(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads the header `traceparent` of W3C Trace Context; undefined where it is absent or is none. */
export function parseTraceparent(header: unknown): Traceparent | undefined {
  const parts = typeof header === 'string' ? FORM.exec(header) : null;
  if (parts === null) return undefined;
  const [, traceId, spanId, flags] = parts as unknown as [string, string, string, string];
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
