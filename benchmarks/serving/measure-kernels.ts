import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { openBundleFiles } from '../../src/bundle/bundle-files.js';
import { parseTensorFile } from '../../src/bundle/tensor-file.js';
import { SOURCES } from '../../src/candidates/sources.js';
import type { BenchBundle } from './bench-bundle.js';
import type { KernelCount, KernelKind, KernelTask } from './kernel-worker.js';
import { CANDIDATES } from './train-ranker.js';

export const KERNEL_KINDS: readonly KernelKind[] = ['ONNX Runtime', 'serving'];

/** What threads that do nothing but the arithmetic of requests achieve together. */
export interface KernelRate {
  readonly kind: KernelKind;
  readonly threads: number;
  readonly batch: number;
  readonly requestsPerSecond: number;
  /** Of a thread, per request. */
  readonly retrievalMs: number;
  readonly rankingMs: number;
}

export interface KernelOptions {
  readonly kinds: readonly KernelKind[];
  readonly threads: readonly number[];
  readonly batches: readonly number[];
  readonly seconds: number;
}

/**
 * The bound of the serving path: exact retrieval (a matrix product and the best 200 of it) and the ranker on 200 rows per request, in a
 * bare loop. No HTTP, no rules, no features, no answer.
 */
export async function measureKernels(
  { folder }: BenchBundle,
  { kinds, threads, batches, seconds }: KernelOptions,
): Promise<KernelRate[]> {
  const { manifest } = await openBundleFiles(folder, { deferViews: true });
  const { data, shape } = parseTensorFile(
    await readFile(join(folder, SOURCES.als.file)),
    SOURCES.als.file,
  ).tensors.get('factors')!;
  const dimensions = shape[1]!;
  const limit = Math.min(CANDIDATES, shape[0]!);
  const task = {
    factors: share(data as Float32Array),
    dimensions,
    ranker: new Uint8Array(await readFile(join(folder, manifest.ranker.file))),
    columns: manifest.ranker.featureOrder.length,
    candidates: limit,
    seconds,
  };
  const rates: KernelRate[] = [];
  for (const kind of kinds) {
    for (const count of threads) {
      for (const batch of batches) rates.push(await measureThreads({ ...task, kind, batch }, count));
    }
  }
  return rates;
}

async function measureThreads(task: KernelTask, threads: number): Promise<KernelRate> {
  const workers = await Promise.all(Array.from({ length: threads }, () => openWorker(task)));
  const counts = await Promise.all(
    workers.map(async (worker) => {
      const counted = once(worker, 'message') as Promise<[KernelCount]>;
      const exited = once(worker, 'exit');
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage('go');
      const [count] = await counted;
      await exited;
      return count;
    }),
  );
  const requests = counts.reduce((sum, count) => sum + count.requests, 0);
  const busySeconds = counts.reduce((sum, count) => sum + count.seconds, 0);
  const retrievalSeconds = counts.reduce((sum, count) => sum + count.retrievalSeconds, 0);
  return {
    kind: task.kind,
    threads,
    batch: task.batch,
    requestsPerSecond: counts.reduce((sum, count) => sum + count.requests / count.seconds, 0),
    retrievalMs: (1000 * retrievalSeconds) / requests,
    rankingMs: (1000 * (busySeconds - retrievalSeconds)) / requests,
  };
}

function share(values: Float32Array): Float32Array {
  const shared = new Float32Array(new SharedArrayBuffer(values.byteLength));
  shared.set(values);
  return shared;
}

async function openWorker(workerData: KernelTask): Promise<Worker> {
  const worker = new Worker(new URL('./kernel-worker.js', import.meta.url), { workerData });
  await once(worker, 'message');
  return worker;
}
