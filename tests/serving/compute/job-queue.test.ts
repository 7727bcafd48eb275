import t from 'tap';
import { processClock } from '../../../src/domain/process-clock.js';
import type { Execution } from '../../../src/pipeline/execution.js';
import { ShortlistError } from '../../../src/domain/errors.js';
import type { SlateReport, RecommendationRequest } from '../../../src/pipeline/recommendation-request.js';
import type {
  AnsweredBatch,
  ComputeBatch,
  ComputeJob,
} from '../../../src/serving/compute/compute-messages.js';
import type { ComputeThread } from '../../../src/serving/compute/compute-thread.js';
import {
  type BatchFacts,
  type BatchTimes,
  createJobQueue,
  type JobQueueOptions,
} from '../../../src/serving/compute/job-queue.js';

/** A thread that answers when the test says so. */
class HeldThread implements ComputeThread {
  readonly lost = new Promise<never>(() => undefined);
  readonly batches: ComputeBatch[] = [];
  closed = false;
  #finish: ((answered: AnsweredBatch | Error) => void) | undefined;

  answer(batch: ComputeBatch): Promise<AnsweredBatch> {
    this.batches.push(batch);
    return new Promise((resolve, reject) => {
      this.#finish = (answered) => (answered instanceof Error ? reject(answered) : resolve(answered));
    });
  }

  /** Ends the batch under way, and lets the queue see it. */
  async finish(error?: Error): Promise<void> {
    const answers = this.batches.at(-1)!.jobs.map(recordOf);
    const begunAt = processClock();
    this.#finish!(error ?? { answers, reads: [], begunAt, endedAt: begunAt + 1 });
    await new Promise(setImmediate);
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

const request = (userId: string): RecommendationRequest => ({
  subject: { userId },
  scenario: 'home',
  limit: 5,
  exclude: [],
  filters: [],
  explain: 'none',
});

function recordOf({ request }: ComputeJob): SlateReport {
  const bundle = request.subject.userId!;
  return {
    slate: { scenario: 'home', bundle, strategy: 'personalised', degraded: [], items: [], hasMore: false },
    stages: [],
    candidateCount: 0,
  };
}

const options: JobQueueOptions = { maxBatch: 4, maxWaiting: 6, minDepth: 0.25, clock: () => 7 };
const within = (milliseconds: number): Execution => ({ deadline: processClock() + milliseconds });
const later = (): Execution => within(60_000);
const sizes = ({ batches }: HeldThread): number[] => batches.map(({ jobs }) => jobs.length);

t.test(
  'who finds a free thread is computed at once and alone, who waits is computed in batches',
  async (t) => {
    const facts: BatchFacts[] = [];
    const thread = new HeldThread();
    const times: BatchTimes[] = [];
    const queue = createJobQueue({
      ...options,
      onBatch: (batch) => facts.push(batch),
      onAnswered: (parts) => times.push(parts),
    });
    queue.add(thread);
    const answers = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => queue.push(request(id), later()));
    t.same(sizes(thread), [1]);
    await thread.finish();
    t.same(sizes(thread), [1, 4], 'at most maxBatch');
    await thread.finish();
    await thread.finish();
    t.same(sizes(thread), [1, 4, 1]);
    const found = await Promise.all(answers);
    t.same(
      found.map(({ slate }) => slate.bundle),
      ['a', 'b', 'c', 'd', 'e', 'f'],
      'each has its own answer',
    );
    t.match(facts, [
      { requests: 1, waiting: 0, depth: 1 },
      { requests: 4, waiting: 1, depth: 1 },
      { requests: 1, waiting: 0, depth: 1 },
    ]);
    t.equal(times.length, 3);
    t.ok(times.every(({ waiting, handedOver }) => waiting >= 0 && handedOver >= 0));
    t.same(
      new Set(times.map(({ computing }) => Math.round(computing))),
      new Set([1]),
      'as the thread says it',
    );
    t.equal(thread.batches[0]!.now, 7);
    await queue.close();
    t.ok(thread.closed);
  },
);

t.test(
  'a thread that is free takes its share of what waits, so that the next one has something too',
  async (t) => {
    const [one, two] = [new HeldThread(), new HeldThread()];
    const queue = createJobQueue(options);
    queue.add(one);
    queue.add(two);
    const answers = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => queue.push(request(id), later()));
    await one.finish();
    t.same(sizes(one), [1, 2]);
    await two.finish();
    t.same(sizes(two), [1, 1]);
    await one.finish();
    t.same(sizes(one), [1, 2, 1]);
    await two.finish();
    await one.finish();
    await Promise.all(answers);
  },
);

t.test('more than may wait is refused at once, and so is what came without any time left', async (t) => {
  const thread = new HeldThread();
  const queue = createJobQueue(options);
  queue.add(thread);
  t.equal(queue.refuses(60_000), false);
  const answers = Array.from({ length: 7 }, () => queue.push(request('a'), later()));
  t.equal(queue.refuses(60_000), true, 'which can be told before');
  await t.rejects(queue.push(request('b'), later()), { code: 'OVERLOADED', status: 503 });
  await t.rejects(queue.push(request('b'), within(-1)), { code: 'DEADLINE_EXCEEDED' });
  await thread.finish();
  await thread.finish();
  await thread.finish();
  await Promise.all(answers);
});

t.test('who would not be answered in time is refused before it waits', async (t) => {
  const thread = new HeldThread();
  const queue = createJobQueue(options);
  queue.add(thread);
  const first = queue.push(request('a'), later());
  const learnt = performance.now();
  while (performance.now() - learnt < 40) await new Promise(setImmediate);
  await thread.finish();
  await first;
  const busy = [queue.push(request('b'), later()), queue.push(request('c'), later())];
  await t.rejects(queue.push(request('d'), within(20)), { code: 'OVERLOADED' });
  busy.push(queue.push(request('d'), later()));
  await thread.finish();
  await thread.finish();
  await Promise.all(busy);
});

t.test('at its deadline a request fails, whether it waits or is being computed', async (t) => {
  const thread = new HeldThread();
  const queue = createJobQueue(options);
  queue.add(thread);
  const computed = queue.push(request('a'), within(20));
  const waited = queue.push(request('b'), within(20));
  t.match(await Promise.allSettled([computed, waited]), [
    { reason: { code: 'DEADLINE_EXCEEDED', message: /while it was computed/ } },
    { reason: { code: 'DEADLINE_EXCEEDED', message: /before it was computed/ } },
  ]);
  await thread.finish();
  t.same(sizes(thread), [1], 'nobody computes what nobody waits for');
});

t.test('the longer requests have waited, the fewer candidates are ranked', async (t) => {
  const facts: BatchFacts[] = [];
  const thread = new HeldThread();
  const queue = createJobQueue({ ...options, onBatch: (batch) => facts.push(batch) });
  queue.add(thread);
  const first = queue.push(request('a'), later());
  const second = queue.push(request('b'), within(400)).catch(() => undefined);
  const learnt = performance.now();
  while (performance.now() - learnt < 245) await new Promise(setImmediate);
  await thread.finish();
  t.equal(facts[1]!.depth, 0.25, 'of 400 ms 240 and more were gone');
  t.equal(thread.batches[1]!.jobs[0]!.execution.depth, 0.25);
  t.equal(thread.batches[0]!.jobs[0]!.execution.depth, 1);
  await thread.finish();
  await Promise.all([first, second]);
});

t.test('what a thread fails at is told to those whose batch it was', async (t) => {
  const thread = new HeldThread();
  const queue = createJobQueue(options);
  queue.add(thread);
  const failed = t.rejects(queue.push(request('a'), later()), { code: 'COMPUTE_FAILED' });
  queue.remove(thread);
  await thread.finish(new ShortlistError('COMPUTE_FAILED', 'lost'));
  await failed;
  const waiting = t.rejects(queue.push(request('b'), later()), { message: 'none left' });
  queue.failIfDeserted(new ShortlistError('COMPUTE_FAILED', 'none left'));
  await waiting;
  await t.rejects(queue.push(request('c'), later()), { message: 'none left' });
  queue.add(new HeldThread());
  queue.failIfDeserted(new Error('not now'));
});

t.test('a thread that does not answer for too long is given up, and the others go on', async (t) => {
  const [stuck, other] = [new HeldThread(), new HeldThread()];
  const told: ShortlistError[] = [];
  let tell = (): void => undefined;
  const hung = new Promise<void>((resolve) => (tell = resolve));
  const onHung = (error: ShortlistError): void => {
    told.push(error);
    tell();
  };
  const queue = createJobQueue({ ...options, watch: { hangMs: 20, onHung } });
  queue.add(stuck);
  const lost = queue.push(request('a'), later());
  await hung;
  t.match(told, [{ code: 'COMPUTE_FAILED', message: /has not answered for 20 ms; it hangs/ }]);
  await t.rejects(queue.push(request('b'), later()), { code: 'COMPUTE_FAILED' }, 'nobody is left');
  await queue.close();
  t.notOk(stuck.closed, 'nobody waits for it');
  await stuck.finish();
  await lost;
  t.ok(stuck.closed, 'it came back, and is ended');

  const two = createJobQueue({ ...options, watch: { hangMs: 60_000, onHung } });
  two.add(other);
  const answered = two.push(request('c'), later());
  await other.finish();
  t.equal((await answered).slate.bundle, 'c');
  t.equal(told.length, 1, 'who answers is not told of');
  await two.close();
});
