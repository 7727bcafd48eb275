import { parentPort, workerData } from 'node:worker_threads';
import { Tensor } from 'onnxruntime-node';
import { openOnnxSession } from '../../src/bundle/onnx-session.js';
import { createExactSearch } from '../../src/candidates/exact-search.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { openOnnxRanker } from '../../src/ranking/onnx-ranker.js';
import { encodeRetrievalModel } from './kernel-model.js';

/** Whose kernels: ONNX Runtime's alone, for the product, the best of it and the ranker; or those that serve. */
export type KernelKind = 'ONNX Runtime' | 'serving';

/** What a thread of the bare loop is started with. */
export interface KernelTask {
  readonly kind: KernelKind;
  /** [items × dimensions] */
  readonly factors: Float32Array;
  readonly dimensions: number;
  readonly ranker: Uint8Array;
  readonly columns: number;
  readonly candidates: number;
  /** Requests per run of each model. */
  readonly batch: number;
  readonly seconds: number;
}

/** What it did in its time. */
export interface KernelCount {
  readonly requests: number;
  readonly seconds: number;
  /** Of which in retrieval; the rest was the ranker's. */
  readonly retrievalSeconds: number;
}

// Says that it is open, waits for the word, then retrieves and ranks in turn until its time is over, and says how often.
/** The arithmetic of a batch of requests. */
interface Kernels {
  retrieve(): Promise<unknown>;
  rank(): Promise<unknown>;
  close(): Promise<unknown>;
}

const task = workerData as KernelTask;
const { batch, seconds } = task;
const random = createSeededRandom(1);
const port = parentPort!;
const kernels = await (task.kind === 'serving' ? openServingKernels(task) : openOnnxKernels(task));
for (let warmUp = 0; warmUp < 3; warmUp++) await answerBatch();
port.once('message', () => void measure());
say('open');

async function measure(): Promise<void> {
  const started = performance.now();
  let requests = 0;
  let retrievalMs = 0;
  for (; performance.now() - started < 1000 * seconds; requests += batch) retrievalMs += await answerBatch();
  const count: KernelCount = {
    requests,
    seconds: (performance.now() - started) / 1000,
    retrievalSeconds: retrievalMs / 1000,
  };
  say(count);
  await kernels.close();
}

async function openOnnxKernels({
  factors,
  dimensions,
  ranker,
  columns,
  candidates,
}: KernelTask): Promise<Kernels> {
  const what = 'the bare loop';
  const retrieval = await openOnnxSession(encodeRetrievalModel(factors, { dimensions, limit: candidates }), {
    what,
  });
  const ranking = await openOnnxSession(ranker, { what });
  const users = new Tensor('float32', draw(batch, dimensions), [batch, dimensions]);
  const features = new Tensor('float32', draw(batch * candidates, columns), [batch * candidates, columns]);
  return {
    retrieve: () => retrieval.run({ users }),
    rank: () => ranking.run({ features }),
    close: () => Promise.all([retrieval.release(), ranking.release()]),
  };
}

async function openServingKernels({
  factors,
  dimensions,
  ranker,
  columns,
  candidates,
}: KernelTask): Promise<Kernels> {
  const search = createExactSearch({ factors, dimensions });
  const ranking = await openOnnxRanker(ranker, { columns });
  const users = Array.from({ length: batch }, () => Float64Array.from(draw(1, dimensions)));
  const options = { limit: candidates, eligible: new Uint8Array(factors.length / dimensions).fill(1) };
  const matrix = { data: draw(batch * candidates, columns), rows: batch * candidates, columns };
  return {
    retrieve: () => Promise.all(users.map(async (user) => search.findBest(user, options))),
    rank: () => ranking.rank(matrix),
    close: () => Promise.all([search.close(), ranking.close()]),
  };
}

/** Gives the milliseconds that retrieval took. */
async function answerBatch(): Promise<number> {
  const started = performance.now();
  await kernels.retrieve();
  const elapsed = performance.now() - started;
  await kernels.rank();
  return elapsed;
}

function draw(rows: number, width: number): Float32Array {
  return Float32Array.from({ length: rows * width }, () => random.uniform());
}

function say(what: 'open' | KernelCount): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
  port.postMessage(what);
}
