import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** A span as OTLP over HTTP has it in JSON. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly attributes: Readonly<Record<string, string | number>>;
}

interface Value {
  readonly stringValue?: string;
  readonly intValue?: number;
}

interface Attribute {
  readonly key: string;
  readonly value: Value;
}

type RawSpan = Omit<ReceivedSpan, 'attributes'> & { attributes: Attribute[] };

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[];
  }[];
}

export interface TraceCollector {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  readonly resources: Record<string, string | number>[];
  readonly headers: IncomingMessage['headers'][];
  /** What it answers: 200, or another status. */
  status: number;
}

/** A collector of OpenTelemetry on a free port that keeps what it is sent. */
export async function startTraceCollector(t: Test): Promise<TraceCollector> {
  const collector = {
    url: '',
    spans: [] as ReceivedSpan[],
    resources: [] as TraceCollector['resources'],
    headers: [] as TraceCollector['headers'],
    status: 200,
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    collector.headers.push(request.headers);
    if (collector.status === 200 && request.url === '/v1/traces') {
      const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as ExportRequest;
      for (const { resource, scopeSpans } of resourceSpans) {
        collector.resources.push(toRecord(resource.attributes));
        for (const { spans } of scopeSpans) {
          collector.spans.push(...spans.map((span) => ({ ...span, attributes: toRecord(span.attributes) })));
        }
      }
    }
    response.writeHead(collector.status, { 'content-type': 'application/json' }).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  collector.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return collector;
}

function toRecord(attributes: readonly Attribute[]): Record<string, string | number> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]),
  );
}
