import { parentPort, workerData } from 'node:worker_threads';
import { packError } from '../../domain/packed-error.js';
import { processClock } from '../../domain/process-clock.js';
import type { FeatureRead } from '../../features/feature-observer.js';
import type { FeatureStore } from '../../features/feature-store.js';
import { closeEngine } from '../../engine/close-engine.js';
import { createProblemCollector } from '../../engine/collect-problems.js';
import { createEngine } from '../../engine/create-engine.js';
import { listUserViews } from '../../engine/list-user-views.js';
import type { Engine } from '../../pipeline/engine.js';
import { type BundleContents, unpackContents } from '../../engine/read-bundle.js';
import { createAbsentStore } from '../../engine/read-contents.js';
import type { SlateReport } from '../../pipeline/recommendation-request.js';
import { inspect } from '../../pipeline/inspection/inspect.js';
import { recommend } from '../../pipeline/recommend.js';
import { createBatchRanker } from '../../ranking/batch-ranker.js';
import { createGuardedRanker } from '../../ranking/guarded-ranker.js';
import type {
  AnsweredBatch,
  ComputeBatch,
  ComputeJob,
  ComputeMessage,
  ComputeReply,
  ComputeThreadData,
  InspectionReply,
  InspectJob,
} from './compute-messages.js';
import { lowerPriority } from './low-priority.js';
import { countRuns, endWork } from './native-work.js';
import { createRests } from './polite-pause.js';
import { NO_OVERRIDES } from '../../rules/overrides.js';
import { sumReads } from '../online/sum-feature-reads.js';
import { warm } from './warm.js';

// The program of a computing thread: it makes an engine over the memory of the main thread, answers batches one after the
// other, and ends when it is told to, never in the middle of a batch: a thread that is stopped inside of ONNX Runtime
// takes the process with it.
const { contents, scenarios, rankerGuard, vectorEngine, beside, isBackground, counter } =
  workerData as ComputeThreadData;
const port = parentPort!;
let now = 0;
let reads: FeatureRead[] = [];
let overrides = NO_OVERRIDES;

if (isBackground === true) lowerPriority();

try {
  const engine = await open();
  let last = Promise.resolve();
  port.on('message', (message: ComputeMessage) => {
    last = last.then(() => obey(message, engine));
  });
  endWork(counter);
  say('open');
} catch (error) {
  endWork(counter);
  say({ refused: packError(error) });
}

async function open(): Promise<Engine> {
  const pause = beside === true ? createRests() : undefined;
  const unpacked = unpackContents(contents);
  const engine = await createEngine(unpacked, {
    scenarios,
    overrides: { current: () => overrides },
    stores: listBroughtStores(unpacked),
    vectorEngine,
    observer: { loaded: () => undefined, read: (read) => reads.push(read) },
    clock: () => now,
    collected: createProblemCollector(pause),
  });
  now = engine.knownUntil;
  await warm(engine, (request) => recommend(request, engine), pause);
  reads = [];
  const counted = countRuns(engine.ranker, counter);
  const guarded = rankerGuard === undefined ? counted : createGuardedRanker(counted, rankerGuard);
  // A ranker that looks at the whole list has a run for each request: rows of another request would change its scores.
  const isTogether = engine.manifest.ranker.rows === 'together';
  return { ...engine, ranker: isTogether ? guarded : createBatchRanker(guarded) };
}

/** Views without a table are served by the main thread: their rows come with the request; only what warms up brings none. */
function listBroughtStores({ manifest, tables }: BundleContents): FeatureStore[] {
  return listUserViews(manifest)
    .filter(({ name }) => !tables.has(name))
    .map(createAbsentStore);
}

function obey(message: ComputeMessage, engine: Engine): Promise<void> {
  if (message === 'close') return close(engine);
  return 'inspect' in message ? explain(message, engine) : answer(message, engine);
}

/** Others go first, so it rests between items. What it reads of the views is not told: nobody was answered. */
async function explain(job: InspectJob, engine: Engine): Promise<void> {
  now = job.now;
  overrides = job.overrides ?? overrides;
  const { prefetched } = job;
  const reply = await inspect(job.inspect, engine, { prefetched, pause: createRests() }).then(
    (inspection): InspectionReply => ({ inspection: JSON.stringify(inspection) }),
    (error: unknown): InspectionReply => ({ error: packError(error) }),
  );
  reads = [];
  endWork(counter);
  say(reply);
}

async function answer(batch: ComputeBatch, engine: Engine): Promise<void> {
  const begunAt = processClock();
  now = batch.now;
  overrides = batch.overrides ?? overrides;
  const answers = await Promise.all(batch.jobs.map((job) => answerOne(job, engine)));
  endWork(counter);
  say({ answers, reads: sumReads(reads), begunAt, endedAt: processClock() });
  reads = [];
}

async function answerOne(
  { request, execution }: ComputeJob,
  engine: Engine,
): Promise<AnsweredBatch['answers'][number]> {
  try {
    const { slate, stages, candidateCount, depth, sample, features } = await recommend(
      request,
      engine,
      execution,
    );
    return { slate, stages: stages.map(packCause), candidateCount, depth, sample, features };
  } catch (error) {
    return { error: packError(error) };
  }
}

/** An error that cannot be copied must not cost the whole batch its answers. */
function packCause(record: SlateReport['stages'][number]): SlateReport['stages'][number] {
  return record.cause === undefined ? record : { ...record, cause: packError(record.cause) };
}

async function close(engine: Engine): Promise<void> {
  await closeEngine(engine);
  endWork(counter);
  port.close();
}

function say(reply: ComputeReply): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
  port.postMessage(reply);
}
