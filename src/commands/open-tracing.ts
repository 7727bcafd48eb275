import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import { ShortlistError } from '../domain/errors.js';
import type { TelemetryMetrics } from '../observability/metrics/telemetry-metrics.js';
import type { Tracing } from '../observability/tracing.js';

/** Spans that wait to be sent; what comes beyond is dropped. */
const QUEUE_SPANS = 4096;
const BATCH_SPANS = 512;
const SEND_EVERY_MS = 2000;
const SEND_TIMEOUT_MS = 5000;

const PATIENCE_MS = 1000;

/**
 * The tracing that `tracing` of the settings asks for; undefined where there is none, and then nothing of OpenTelemetry's SDK
 * is loaded. The collector may be away: spans are dropped, which is a warning once and a metric.
 * @param parts.patienceMs how long a stop waits for a collector that does not answer
 * @throws ShortlistError INVALID_CONFIG when the SDK is not installed
 */
export async function openTracing(
  { tracing }: Pick<Settings, 'tracing'>,
  parts: { logger: Logger; metrics: TelemetryMetrics; version: string; patienceMs?: number },
): Promise<Tracing | undefined> {
  if (tracing.endpoint === '') return undefined;
  const { sdk, resources, otlp } = await importSdk();
  const { createTracing } = await import('../observability/create-tracing.js');
  const exporter = new otlp.OTLPTraceExporter({
    url: `${tracing.endpoint.replace(/\/$/, '')}/v1/traces`,
    timeoutMillis: SEND_TIMEOUT_MS,
  });
  const tell = createTeller(tracing.endpoint, parts);
  const telling: SpanExporter = {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        // The code of success is 0; its enumeration is in a package that is not ours to import.
        tell(!result.code, { spans: spans.length, err: result.error });
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  };
  const provider = new sdk.TracerProvider({
    resource: resources.resourceFromAttributes(describeResource(tracing, parts)),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(tracing.sampleShare) }),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: telling,
        maxQueueSize: QUEUE_SPANS,
        maxExportBatchSize: BATCH_SPANS,
        scheduledDelayMillis: SEND_EVERY_MS,
        exportTimeoutMillis: SEND_TIMEOUT_MS,
      }),
    ],
  });
  return createTracing(provider.getTracer('shortlist', parts.version), () =>
    withinPatience(provider.shutdown(), parts.patienceMs ?? PATIENCE_MS),
  );
}

/**
 * What all spans say of this process. What its operator says of it counts.
 * @throws ShortlistError INVALID_CONFIG for an attribute that is not UTF-8, percent-encoded
 */
function describeResource(
  { serviceName, resourceAttributes }: Settings['tracing'],
  { version }: { version: string },
): Record<string, string> {
  const given = resourceAttributes.filter((text) => text !== '').map(parseAttribute);
  return {
    'service.name': 'shortlist',
    'service.version': version,
    ...Object.fromEntries(given),
    ...(serviceName !== '' && { 'service.name': serviceName }),
  };
}

function parseAttribute(text: string): [key: string, value: string] {
  const [key, value] = text.split('=') as [string, string];
  try {
    return [decodeURIComponent(key), decodeURIComponent(value)];
  } catch (cause) {
    throw new ShortlistError(
      'INVALID_CONFIG',
      `tracing.resourceAttributes has ${JSON.stringify(text)}, which is not UTF-8, percent-encoded. Correct OTEL_RESOURCE_ATTRIBUTES.`,
      { cause },
    );
  }
}

async function importSdk() {
  try {
    return {
      sdk: await import('@opentelemetry/sdk-trace'),
      resources: await import('@opentelemetry/resources'),
      otlp: await import('@opentelemetry/exporter-trace-otlp-http'),
    };
  } catch (cause) {
    throw new ShortlistError(
      'INVALID_CONFIG',
      'tracing.endpoint is set, and the OpenTelemetry SDK is not installed: install Shortlist with its optional dependencies, or unset OTEL_EXPORTER_OTLP_ENDPOINT.',
      { cause },
    );
  }
}

/** Tells of the first failure and of the first success after it; counts all. */
function createTeller(endpoint: string, { logger, metrics }: { logger: Logger; metrics: TelemetryMetrics }) {
  let failing = false;
  return (sent: boolean, { spans, err }: { spans: number; err: Error | undefined }): void => {
    metrics.countSpans(sent ? 'sent' : 'failed', spans);
    if (failing === !sent) return;
    failing = !sent;
    if (sent) logger.info({ endpoint }, 'the trace collector takes spans again');
    else logger.warn({ endpoint, err }, 'the trace collector takes no spans: they are dropped until it does');
  };
}

async function withinPatience(work: Promise<void>, patienceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, patienceMs)));
  await Promise.race([work.catch(() => undefined), patience]);
  clearTimeout(timer);
}
