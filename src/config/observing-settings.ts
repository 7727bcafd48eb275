import { Type } from 'typebox';
import { milliseconds } from './setting-notes.js';

/** Settings of the log. */
export const Logging = Type.Object(
  {
    level: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      description: 'Least severe level that is written.',
      variable: 'LOG_LEVEL',
    }),
    requestSampleRate: Type.Number({
      minimum: 0,
      maximum: 1,
      description:
        'Share of requests that get a log line. Faults of ours always get one: answers of 500 and above, but for what is refused because it is too much.',
      zero: 'only faults',
      danger:
        'A line costs CPU: at 1 every request pays for it. Metrics count every request whatever the rate.',
    }),
    bufferMegabytes: Type.Integer({
      minimum: 1,
      maximum: 1024,
      unit: 'MB',
      description:
        'Memory for lines that wait for a reader of the log that reads slowly or not at all. Lines beyond are dropped and counted in `shortlist_log_lines_dropped_total`; neither requests nor the end of the process wait for a reader.',
    }),
  },
  { additionalProperties: false },
);

/** Settings of how dependencies are asked. */
export const Sources = Type.Object(
  {
    attempts: Type.Integer({
      minimum: 1,
      maximum: 100,
      description:
        'Attempts at an outside source at most (a bucket, a download, Redis and the vector engine where commands fill them, files of bundles and datasets, the keys of an issuer), the first one included, while it is away. docs/reliability.md says what is tried again.',
      variable: 'SHORTLIST_SOURCE_ATTEMPTS',
    }),
    totalSeconds: Type.Number({
      exclusiveMinimum: 0,
      maximum: 86_400,
      unit: 's',
      description: 'Time for all of them together; then it is an error.',
      variable: 'SHORTLIST_SOURCE_SECONDS',
    }),
    firstWaitMs: milliseconds(1, 60_000, {
      description:
        'Between two attempts is a random wait of up to so long, of up to twice, four times, … as long after each further one.',
    }),
    longestWaitMs: milliseconds(1, 600_000, { description: 'Where that doubling ends.' }),
    maxMegabytes: Type.Integer({
      minimum: 0,
      maximum: 100_000_000,
      unit: 'MB',
      description:
        'A read of an outside source that is larger warns `source_large` and counts in `shortlist_source_large_total`; it goes on.',
      zero: 'none is too large',
    }),
    minMegabytesPerSecond: Type.Number({
      minimum: 0,
      maximum: 100_000,
      unit: 'MB/s',
      description:
        'A read of a megabyte or more that is slower warns `source_slow` and counts in `shortlist_source_slow_total`; it goes on.',
      zero: 'none is too slow',
    }),
  },
  { additionalProperties: false },
);

/** How a log is cut into files. */
function segmentSettings({ reader, counter }: { reader: string; counter: string }) {
  return {
    segmentMegabytes: Type.Integer({
      minimum: 1,
      maximum: 4096,
      unit: 'MB',
      description: 'A segment of the log that has grown to so much is closed.',
    }),
    segmentSeconds: Type.Integer({
      minimum: 1,
      maximum: 86_400,
      unit: 's',
      description: `A segment that is so old is closed: what \`${reader}\` sees lags by so much.`,
    }),
    flushMs: milliseconds(1, 60_000, {
      description: 'How long a line waits to be written together with others.',
      danger: 'What waits is lost when the process is killed.',
    }),
    bufferMegabytes: Type.Integer({
      minimum: 1,
      maximum: 1024,
      unit: 'MB',
      description: `Lines that wait for the disk at most; those above are dropped and count in \`${counter}\`.`,
    }),
  };
}

/** Settings of the impression log. */
export const Impressions = Type.Object(
  {
    enabled: Type.Boolean({
      description:
        'Whether the slates that are served are written to a log. docs/impressions.md describes it.',
      variable: 'SHORTLIST_IMPRESSIONS',
      danger: 'The log names users by their ids and grows until somebody removes what is old.',
    }),
    folder: Type.String({
      minLength: 1,
      description: 'Folder of the log, relative to the working directory; several processes may share it.',
      variable: 'SHORTLIST_IMPRESSIONS_FOLDER',
    }),
    sampleShare: Type.Number({
      minimum: 0,
      maximum: 1,
      description:
        'Share of the users whose slates are logged, always the same ones; of slates that are for no user, share of the requests.',
      zero: 'none',
    }),
    ...segmentSettings({ reader: 'shortlist impressions compact', counter: 'shortlist_impressions_total' }),
  },
  { additionalProperties: false },
);

/** Settings of the feature log. */
export const FeatureLog = Type.Object(
  {
    enabled: Type.Boolean({
      description:
        'Whether a share of the requests logs what the ranker read of the items shown, for `shortlist skew`. docs/skew.md describes it.',
      variable: 'SHORTLIST_FEATURE_LOG',
      danger: 'The log names users by their ids and grows until somebody removes what is old.',
    }),
    folder: Type.String({
      minLength: 1,
      description: 'Folder of the log, relative to the working directory; several processes may share it.',
      variable: 'SHORTLIST_FEATURE_LOG_FOLDER',
    }),
    sampleShare: Type.Number({
      minimum: 0,
      maximum: 1,
      description: 'Share of the requests that are logged, by a hash of their ids.',
      zero: 'none',
    }),
    ...segmentSettings({ reader: 'shortlist skew', counter: 'shortlist_feature_log_total' }),
  },
  { additionalProperties: false },
);

/** Settings of traces. */
export const Tracing = Type.Object(
  {
    endpoint: Type.String({
      pattern: '^(https?://[^\\s@]+)?$',
      'x-allowed': 'an http or https URL without credentials, or empty',
      description:
        'OpenTelemetry collector that takes OTLP over HTTP; traces go to `/v1/traces` of it. Empty: no traces, and nothing of them is loaded. docs/tracing.md describes them.',
      variable: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    }),
    sampleShare: Type.Number({
      minimum: 0,
      maximum: 1,
      description:
        'Share of the requests that are traced. A request that comes with a `traceparent` is traced where that says so, and only there.',
      variable: 'OTEL_TRACES_SAMPLER_ARG',
      zero: 'only those whose `traceparent` says so',
    }),
    serviceName: Type.String({
      description:
        '`service.name` of the spans. Empty: that of `tracing.resourceAttributes`, or else `shortlist`.',
      variable: 'OTEL_SERVICE_NAME',
    }),
    resourceAttributes: Type.Array(
      Type.String({
        pattern: '^(([^\\s=,%]|%[0-9A-Fa-f]{2})+=([^\\s=,%]|%[0-9A-Fa-f]{2})*)?$',
        'x-allowed': '`key=value`; blanks, commas, `=` and `%` inside are percent-encoded',
      }),
      {
        description:
          'What else the spans say of the process that made them, as `key=value`: `deployment.environment.name=production`.',
        variable: 'OTEL_RESOURCE_ATTRIBUTES',
      },
    ),
  },
  { additionalProperties: false },
);

/** Settings of the measurement of drift. */
export const Drift = Type.Object(
  {
    sampleShare: Type.Number({
      minimum: 0,
      maximum: 1,
      description:
        'Share of the computed requests whose features, scores and sources are compared with those of training; docs/observability.md says how.',
      zero: 'none: no drift is measured',
    }),
    windowRequests: Type.Integer({
      minimum: 20,
      maximum: 1_000_000,
      unit: 'requests',
      description: 'So many sampled requests make one value of `shortlist_drift_psi`.',
      danger: 'Far below 500, chance alone looks like drift.',
    }),
  },
  { additionalProperties: false },
);
