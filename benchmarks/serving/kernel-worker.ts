import { parentPort, workerData } from 'node:worker_threads';
import { Tensor } from 'onnxruntime-node';
import { openOnnxSession } from '../../src/bundle/onnx-session.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';

/** What a thread of the bare loop is started with. */
export interface KernelTask {
  readonly retrieval: Uint8Array;
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

// Says that it is open, waits for the word, then runs both models in turn until its time is over, and says how often.
const { retrieval, dimensions, ranker, columns, candidates, batch, seconds } = workerData as KernelTask;
const random = createSeededRandom(1);
const port = parentPort!;
const models = {
  retrieval: await openOnnxSession(retrieval, { what: 'the bare loop' }),
  ranker: await openOnnxSession(ranker, { what: 'the bare loop' }),
};
const feeds = {
  users: { users: draw(batch, dimensions) },
  features: { features: draw(batch * candidates, columns) },
};
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
  await models.retrieval.release();
  await models.ranker.release();
}

/** Gives the milliseconds that retrieval took. */
async function answerBatch(): Promise<number> {
  const started = performance.now();
  await models.retrieval.run(feeds.users);
  const elapsed = performance.now() - started;
  await models.ranker.run(feeds.features);
  return elapsed;
}

function draw(rows: number, width: number): Tensor {
  return new Tensor(
    'float32',
    Float32Array.from({ length: rows * width }, () => random.uniform()),
    [rows, width],
  );
}

function say(what: 'open' | KernelCount): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
  port.postMessage(what);
}
