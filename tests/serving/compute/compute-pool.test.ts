import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import t from 'tap';
import { openBundle } from '../../../src/engine/open-engine.js';
import { packContents } from '../../../src/engine/read-bundle.js';
import type { RecommendationRequest } from '../../../src/pipeline/recommendation-request.js';
import { recommend } from '../../../src/pipeline/recommend.js';
import { collectGarbage } from '../../../src/serving/bundle-life/collect-garbage.js';
import { openComputePool, type ComputePoolOptions } from '../../../src/serving/compute/compute-pool.js';
import { openComputeThread } from '../../../src/serving/compute/compute-thread.js';
import { createQuarantine } from '../../../src/serving/compute/quarantine.js';
import { SCENARIOS, writeSmallBundle } from '../../support/trained-bundle.js';

const { folder } = await writeSmallBundle(t.testdir({}));
const bundle = await openBundle(folder, SCENARIOS);
const task = { contents: packContents(bundle.contents), scenarios: SCENARIOS };
const options: ComputePoolOptions = {
  workers: 2,
  maxBatch: 16,
  maxWaiting: 1000,
  minDepth: 1,
  clock: () => bundle.engine.knownUntil,
};
t.teardown(() => bundle.engine.ranker.close());

/** No test is about time unless it says so. */
const TIME = { deadline: Number.MAX_SAFE_INTEGER };

/** The threads that are started, in their order. */
const started: Worker[] = [];
process.on('worker', (worker: Worker) => started.push(worker));

const ask = (userId: string, more: Partial<RecommendationRequest> = {}): RecommendationRequest => ({
  subject: { userId },
  scenario: 'home',
  limit: 5,
  exclude: [],
  filters: [],
  explain: 'features',
  ...more,
});

/** Every user, twice, and people whom nobody knows. */
const requests = [...bundle.engine.users.ids, ...bundle.engine.users.ids, 'nobody', 'someone'].map((id) =>
  ask(id),
);

t.test(
  'threads answer as the pipeline does in this thread, bit for bit, however requests are batched',
  async (t) => {
    const reads: string[] = [];
    const observer = { loaded: () => undefined, read: ({ view }: { view: string }) => reads.push(view) };
    const pool = await openComputePool(task, { ...options, observer });
    const found = await Promise.all(requests.map((request) => pool.run(request, TIME)));
    for (const [index, request] of requests.entries()) {
      const { slate, candidateCount } = await recommend(request, bundle.engine);
      t.same({ ...found[index], stages: [] }, { slate, candidateCount, stages: [] });
    }
    t.match(found[0]!.stages.at(-1), { stage: 'ranking', outcome: 'ok' });
    t.ok(reads.includes('items') && reads.length < requests.length, 'reads are told once per batch');
    await pool.close();
  },
);

t.test('what a thread has answered is not kept', async (t) => {
  const thread = await openComputeThread(task);
  const answered: WeakRef<object>[] = [];
  for (let batch = 0; batch < 20; batch++) {
    answered.push(
      new WeakRef(
        await thread.answer({ jobs: [{ request: ask('u1'), execution: {} }], now: options.clock() }),
      ),
    );
  }
  await new Promise(setImmediate);
  collectGarbage();
  const kept = answered.filter((answer) => answer.deref() !== undefined).length;
  t.ok(kept <= 2, `${kept} of 20`);
  await thread.close();
});

t.test('a thread that ends takes its own requests with it, and another one takes its place', async (t) => {
  started.length = 0;
  const lost: unknown[] = [];
  const pool = await openComputePool(task, { ...options, onLost: (error) => lost.push(error) });
  const replaced = once(process, 'worker');
  await started[0]!.terminate();
  const answers = await Promise.allSettled(requests.map((request) => pool.run(request, TIME)));
  const failed = answers.filter(({ status }) => status === 'rejected');
  t.ok(failed.length <= options.maxBatch, 'of a hundred and more requests one batch at most is lost');
  for (const answer of failed) t.match(answer, { reason: { code: 'COMPUTE_FAILED', status: 503 } });
  t.match(lost, [{ code: 'COMPUTE_FAILED', message: 'A computing thread ended by itself.' }]);
  await replaced;
  await pool.close();
  t.equal(lost.length, 1, 'threads that are told to end are not lost');
});

t.test(
  'when no thread is left and none can be opened, requests fail instead of waiting for ever',
  async (t) => {
    started.length = 0;
    const broken = { ...task, contents: { ...task.contents, files: new Map(task.contents.files) } };
    const lost: unknown[] = [];
    let told = (): void => undefined;
    const twoErrors = new Promise<void>((resolve) => (told = resolve));
    const onLost = (error: unknown): void => {
      if (lost.push(error) === 2) told();
    };
    const pool = await openComputePool(broken, { ...options, workers: 1, onLost });
    // The one that takes its place finds a bundle without a model.
    broken.contents.files.delete(task.contents.manifest.ranker.file);
    await started[0]!.terminate();
    await twoErrors;
    await t.rejects(pool.run(ask('u3'), TIME), {
      code: 'COMPUTE_FAILED',
      message: /could not be replaced/,
    });
    await pool.close();
  },
);

/** Contents that threads cannot be made of until `mend` is called. */
function breakable() {
  const files = new Map(task.contents.files);
  const model = task.contents.manifest.ranker.file;
  return {
    task: { ...task, contents: { ...task.contents, files } },
    spoil: () => files.delete(model),
    mend: () => files.set(model, task.contents.files.get(model)!),
  };
}

t.test('a thread that cannot be replaced at first is tried again until it can', async (t) => {
  started.length = 0;
  const changing = breakable();
  const threads = { living: 0, wanted: 0 };
  let failures = 0;
  const pool = await openComputePool(changing.task, {
    ...options,
    workers: 1,
    pace: { firstMs: 1, longestMs: 4 },
    onThreads: ({ living, wanted }) => {
      threads.living += living;
      threads.wanted += wanted;
    },
    onLost: () => {
      if (++failures === 4) changing.mend();
    },
  });
  t.same(threads, { living: 1, wanted: 1 });
  t.equal(pool.findProblem?.(), undefined);
  changing.spoil();
  await started[0]!.terminate();
  while (threads.living > 0) await new Promise(setImmediate);
  while (pool.findProblem?.() === undefined) await new Promise(setImmediate);
  t.match(pool.findProblem?.(), { code: 'COMPUTE_FAILED' }, 'without a thread it says so');
  while (threads.living === 0) await new Promise(setImmediate);
  t.equal(failures, 4, 'the end, and three attempts that failed');
  t.equal(pool.findProblem?.(), undefined);
  t.match(await pool.run(ask('u3'), TIME), { slate: { degraded: [] } });
  await pool.close();
  t.same(threads, { living: 0, wanted: 0 });
});

t.test('negative control: where nobody tries again, it stays without a thread', async (t) => {
  started.length = 0;
  const changing = breakable();
  const pool = await openComputePool(changing.task, {
    ...options,
    workers: 1,
    pace: { firstMs: 1e9, longestMs: 1e9 },
    onLost: (error) => /could not be replaced/.test((error as Error).message) && changing.mend(),
  });
  changing.spoil();
  await started[0]!.terminate();
  while (pool.findProblem?.() === undefined) await new Promise(setImmediate);
  await t.rejects(pool.run(ask('u3'), TIME), { message: /could not be replaced/ });
  await pool.close();
});

t.test('when there is no thread for long, whoever opened the pool is told', async (t) => {
  started.length = 0;
  const changing = breakable();
  const deserted = new Promise<Error>((resolve) => {
    void openComputePool(changing.task, {
      ...options,
      workers: 1,
      pace: { firstMs: 1, longestMs: 4 },
      desertion: { afterMs: 50, onDeserted: resolve },
    }).then((pool) => {
      t.teardown(() => pool.close());
      changing.spoil();
      return started[0]!.terminate();
    });
  });
  t.match(await deserted, { code: 'COMPUTE_FAILED', message: /no computing thread for 50 ms/ });
});

t.test('a request that ended a thread is not given to the next one, and others are', async (t) => {
  for (const quarantine of [createQuarantine({ lifeMs: 600_000 }), undefined]) {
    started.length = 0;
    const pool = await openComputePool(task, { ...options, workers: 1, quarantine });
    const replaced = once(process, 'worker');
    const lost = pool.run(ask('u3'), TIME);
    void started[0]!.terminate();
    await t.rejects(lost, { code: 'COMPUTE_FAILED' });
    await replaced;
    t.match(await pool.run(ask('u4'), TIME), { slate: { degraded: [] } });
    const again = pool.run(ask('u3'), TIME);
    if (quarantine !== undefined)
      await t.rejects(again, { message: /A request like this one ended a computing thread/ });
    else t.match(await again, { slate: { degraded: [] } }, 'control: without quarantine the next one has it');
    await pool.close();
  }
});

t.test('contents that make no engine are refused as by the pipeline, and no thread stays', async (t) => {
  started.length = 0;
  const { contents } = task;
  const model = contents.manifest.ranker.file;
  const garbage = {
    ...contents,
    files: new Map([...contents.files, [model, new TextEncoder().encode('garbage')]]),
  };
  await t.rejects(openComputePool({ ...task, contents: garbage }, { ...options, workers: 1 }), {
    code: 'INVALID_BUNDLE',
    message: /ranker.onnx.*cannot be read as ONNX/,
  });
  for (const worker of started) if (worker.threadId !== -1) await once(worker, 'exit');
  t.ok(started.every(({ threadId }) => threadId === -1));
});

t.test('a thread answers what it was asked before it ends', async (t) => {
  const thread = await openComputeThread(task);
  const jobs = requests.slice(0, 8).map((request) => ({ request, execution: {} }));
  const answering = thread.answer({ jobs, now: 0 });
  await thread.close();
  t.equal((await answering).answers.length, 8);
});
