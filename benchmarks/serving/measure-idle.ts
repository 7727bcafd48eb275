import type { MetricSample } from '../../src/load-test/server-metrics.js';
import type { BenchServer } from './bench-server.js';
import { type LoadSummary, runLoad, type RunLoadOptions } from './run-load.js';

/** A server that has little to do, and where the time of an answer goes. */
export interface Idle {
  readonly load: LoadSummary;
  /** Mean milliseconds per request, one part after the other: together they are the mean of the answers. */
  readonly ledger: readonly LedgerLine[];
}

export interface LedgerLine {
  readonly part: string;
  readonly milliseconds: number;
}

/** Sends requests at a low rate, and reads from the metrics of the server what they took where. */
export async function measureIdle(
  server: BenchServer,
  options: RunLoadOptions & { rate: number; seconds: number },
): Promise<Idle> {
  const { rate, seconds } = options;
  await runLoad(server.url, [{ rate, seconds: seconds / 2 }], options);
  const before = await server.readMetrics();
  const { stages, late } = await runLoad(server.url, [{ rate, seconds }], options);
  const after = await server.readMetrics();
  const [load] = stages as [LoadSummary];
  return { load, ledger: writeLedger({ answerMs: load.latencyMs!.mean, lateMs: late!.mean, before, after }) };
}

/** Divides the mean time of an answer among its parts. */
export function writeLedger(measured: {
  /** From the intended time to the end of the answer. */
  readonly answerMs: number;
  /** From the intended time to sending. */
  readonly lateMs: number;
  readonly before: readonly MetricSample[];
  readonly after: readonly MetricSample[];
}): LedgerLine[] {
  const { answerMs, lateMs, before, after } = measured;
  const read = (name: string, labels: Readonly<Record<string, string>> = {}): number =>
    sumOf(after, name, labels) - sumOf(before, name, labels);
  const requests = read('shortlist_slate_duration_seconds_count');
  const perRequest = (name: string, labels?: Readonly<Record<string, string>>): number =>
    (1000 * read(`${name}_sum`, labels)) / requests;
  const batchPart = (part: string): number => perRequest('shortlist_batch_duration_seconds', { part });
  const http = perRequest('shortlist_http_request_duration_seconds', { route: '/recommendations/:userId' });
  const slate = perRequest('shortlist_slate_duration_seconds');
  const [waiting, handedOver, computing, handedBack] = [
    batchPart('waiting'),
    batchPart('handed over'),
    batchPart('computing'),
    batchPart('handed back'),
  ];
  const stages = listStages(after).map((stage) => ({
    part: `computing: ${stage}`,
    milliseconds: perRequest('shortlist_stage_duration_seconds', { stage }),
  }));
  const inStages = stages.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return [
    { part: 'sent late', milliseconds: lateMs },
    { part: 'connection: to the server and back', milliseconds: answerMs - lateMs - http },
    { part: 'HTTP: parsing, checks, writing', milliseconds: http - slate },
    {
      part: 'layers around the pipeline',
      milliseconds: slate - waiting - handedOver - computing - handedBack,
    },
    { part: 'waiting for a thread', milliseconds: waiting },
    { part: 'handed over to the thread', milliseconds: handedOver },
    ...stages,
    { part: 'computing: between the stages', milliseconds: computing - inStages },
    { part: 'handed back', milliseconds: handedBack },
  ];
}

/** Stages of the pipeline that requests went through. */
function listStages(samples: readonly MetricSample[]): string[] {
  const names = samples
    .filter(({ name }) => name === 'shortlist_stage_duration_seconds_count')
    .map(({ labels }) => labels['stage']!);
  return [...new Set(names)];
}

/** Over all label sets that have these. */
function sumOf(
  samples: readonly MetricSample[],
  name: string,
  labels: Readonly<Record<string, string>>,
): number {
  return samples
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}
