import { ShortlistError } from '../../domain/errors.js';
import { processClock } from '../../domain/process-clock.js';
import { timerMs } from '../../domain/timers.js';
import { unpackError } from '../../domain/packed-error.js';
import type { FeatureObserver } from '../../features/feature-observer.js';
import type { Execution } from '../../pipeline/execution.js';
import type { SlateReport, RecommendationRequest } from '../../pipeline/recommendation-request.js';
import { type AdmissionLimits, type Busy, createAdmission } from './admission.js';
import type { AnsweredBatch } from './compute-messages.js';
import type { ComputeThread } from './compute-thread.js';
import { depthAt } from './load-estimate.js';
import { type Quarantine, type QuarantineChange, RequestQuarantined } from './quarantine.js';
import { createThreadRoster } from './thread-roster.js';

/** Options of `createJobQueue`. */
export interface JobQueueOptions extends AdmissionLimits {
  /** Share of its candidates that a request is ranked with when the queue is longest, above 0 to 1. */
  readonly minDepth: number;
  /** Unix seconds that time to live is judged by. */
  readonly clock: () => number;
  readonly observer?: FeatureObserver | undefined;
  /** Is told of every batch that a thread takes; it must not throw. */
  readonly onBatch?: ((batch: BatchFacts) => void) | undefined;
  /** Is told of every batch that a thread has answered; it must not throw. */
  readonly onAnswered?: ((times: BatchTimes) => void) | undefined;
  /** Without it nobody sees that a thread hangs. */
  readonly watch?: HangWatch | undefined;
  /** Is told of each thread that comes or goes: 1 or -1. */
  readonly onThread?: ((change: 1 | -1) => void) | undefined;
  /** Keeps requests that kill threads from the next one; without it they are given to it. */
  readonly quarantine?:
    { readonly of: Quarantine; readonly keyOf: (request: RecommendationRequest) => string } | undefined;
}

/** What becomes of a thread that does not answer. */
export interface HangWatch {
  /** Milliseconds after which a thread that has not answered a batch is given up. */
  readonly hangMs: number;
  /** Is told of it. Such a thread cannot be ended: the process has to. */
  readonly onHung: (error: ShortlistError) => void;
}

/** How a batch was put together. */
export interface BatchFacts {
  readonly requests: number;
  /** Requests that still wait. */
  readonly waiting: number;
  /** Share of the candidates that are ranked. */
  readonly depth: number;
}

/** Milliseconds that a batch took, one part after the other. */
export interface BatchTimes {
  /** Of its oldest request, until a thread was free. */
  readonly waiting: number;
  /** Until the thread had it. */
  readonly handedOver: number;
  readonly computing: number;
  /** Until the queue had the answers. */
  readonly handedBack: number;
}

/** Hands what waits to the threads that are free. */
export interface JobQueue {
  add(thread: ComputeThread): void;
  remove(thread: ComputeThread): void;
  /**
   * @throws ShortlistError as `Compute.run` does
   */
  readonly push: (request: RecommendationRequest, execution: Execution) => Promise<SlateReport>;
  /** Whether it would refuse any request that came now with so many milliseconds. */
  readonly refuses: (budgetMs: number) => boolean;
  /** Gives up what waits, and whatever comes until there is a thread again, when there is none left. */
  failIfDeserted(error: unknown): void;
  /** Why nothing can be computed now; undefined where it can. */
  findProblem(): unknown;
  /** Lets every thread answer what it computes, and end; one that hangs is left behind. */
  close(): Promise<void>;
}

/** A request that waits for its answer. */
interface Job {
  readonly request: RecommendationRequest;
  readonly execution: Execution;
  readonly pushedAt: number;
  /** Milliseconds from then to its deadline. */
  readonly budgetMs: number;
  readonly timer: NodeJS.Timeout;
  /** That it is computed in; absent while it waits. */
  batch?: Batch;
  readonly resolve: (report: SlateReport) => void;
  readonly reject: (error: unknown) => void;
}

/** Requests that a thread answers together. */
interface Batch {
  readonly jobs: readonly Job[];
  /** Somebody has given up waiting for it. */
  isSuspect: boolean;
}

/** Creates a queue without threads: what is pushed waits until one is added. */
export function createJobQueue(options: JobQueueOptions): JobQueue {
  const { minDepth, clock, observer, onBatch, onAnswered, watch } = options;
  const threads = createThreadRoster(options.onThread);
  const admission = createAdmission(options);
  const holds = createHolds(options.quarantine);
  const waiting = createWaitingLine(holds);
  let computing = 0;
  let deserted: { error: unknown } | undefined;
  const busy = (): Busy => ({ threads: threads.count(), waiting: waiting.count(), computing });
  /** Threads that will soon be free get their share of what waits. */
  function dispatch(): void {
    while (threads.hasFree() && waiting.count() > 0) {
      const share = Math.ceil(waiting.count() / threads.count());
      void run(threads.takeFree(), waiting.takeTogether(Math.min(options.maxBatch, share)));
    }
  }

  async function run(thread: ComputeThread, jobs: readonly Job[]): Promise<void> {
    const started = processClock();
    // The first one has waited longest.
    const waited = started - jobs[0]!.pushedAt;
    const depth = depthAt(waited / jobs[0]!.budgetMs, minDepth);
    const batch = holds.begin(jobs);
    computing += jobs.length;
    onBatch?.({ requests: jobs.length, waiting: waiting.count(), depth });
    const timer = watch && startWatch(watch, (error) => giveUp(thread, batch, error));
    try {
      const asked = jobs.map(({ request, execution }) => ({ request, execution: { ...execution, depth } }));
      const answered = await thread.answer({ jobs: asked, now: clock() });
      const ended = processClock();
      admission.answered({ requests: jobs.length, milliseconds: ended - started });
      onAnswered?.(listParts(answered, { waited, started, ended }));
      threads.release(thread);
      holds.answered(batch);
      settle(jobs, answered);
      for (const read of answered.reads) observer?.read(read);
    } catch (error) {
      holds.lost(batch);
      for (const job of jobs) fail(job, error);
    } finally {
      clearTimeout(timer);
      computing -= jobs.length;
      dispatch();
    }
  }

  function giveUp(thread: ComputeThread, batch: Batch, error: ShortlistError): void {
    holds.lost(batch);
    threads.remove(thread);
    failIfDeserted(error);
  }

  function failIfDeserted(error: unknown): void {
    if (threads.count() > 0) return;
    deserted = { error };
    waiting.fail(error);
  }

  return {
    add: (thread) => {
      deserted = undefined;
      threads.add(thread);
      dispatch();
    },
    remove: (thread) => threads.remove(thread),
    push: (request, execution) =>
      new Promise((resolve, reject) => {
        const pushedAt = processClock();
        const budgetMs = (execution.deadline ?? Number.POSITIVE_INFINITY) - pushedAt;
        const refusal = deserted?.error ?? holds.find(request) ?? admission.findRefusal(budgetMs, busy());
        if (refusal !== undefined) return reject(refusal);
        waiting.add({ request, execution, pushedAt, budgetMs, resolve, reject });
        dispatch();
      }),
    refuses: (budgetMs) => deserted === undefined && admission.findRefusal(budgetMs, busy()) !== undefined,
    failIfDeserted,
    findProblem: () => deserted?.error,
    close: () => threads.close(),
  };
}

/** Jobs that wait for a thread, the oldest first. One whose time is over is told so, whether it waits still or is being computed. */
function createWaitingLine(holds: Holds) {
  const waiting: Job[] = [];

  /** Who waits is forgotten; the answer of who is being computed will come too late for anybody. */
  function expire(job: Job): void {
    const index = waiting.indexOf(job);
    if (index >= 0) waiting.splice(index, 1);
    if (job.batch !== undefined) holds.late(job.batch);
    job.reject(outOfTime(index >= 0 ? 'before it was computed' : 'while it was computed'));
  }

  return {
    count: (): number => waiting.length,
    add: (asked: Omit<Job, 'timer' | 'batch'>): void => {
      const timer = setTimeout(() => expire(job), timerMs(asked.budgetMs));
      const job: Job = { ...asked, timer };
      waiting.push(job);
    },
    /** Takes the oldest ones that are computed together, `most` or fewer. */
    takeTogether: (most: number): Job[] => waiting.splice(0, holds.countTogether(waiting, most)),
    /** Gives up every one. */
    fail: (error: unknown): void => {
      for (const job of waiting.splice(0)) fail(job, error);
    },
  };
}

function outOfTime(place: string): ShortlistError {
  return new ShortlistError('DEADLINE_EXCEEDED', `The request ran out of time ${place}.`);
}

type Holds = ReturnType<typeof createHolds>;

/** What the quarantine has to do with batches; without one nothing. */
function createHolds(quarantine: JobQueueOptions['quarantine']) {
  const isOnProbation = ({ request }: Job): boolean =>
    quarantine?.of.isOnProbation(quarantine.keyOf(request)) === true;

  function tell(kind: QuarantineChange['kind'], { jobs }: Batch): void {
    quarantine?.of.change({ kind, keys: jobs.map(({ request }) => quarantine.keyOf(request)) });
  }

  /** Until it is answered the other threads are not given the same. */
  function late(batch: Batch): void {
    if (batch.isSuspect) return;
    batch.isSuspect = true;
    tell('suspect', batch);
  }

  return {
    find: (request: RecommendationRequest): ShortlistError | undefined =>
      quarantine?.of.holds(quarantine.keyOf(request)) === true ? new RequestQuarantined() : undefined,
    /** Of those that wait, how many are computed together: who killed a thread before is computed alone. */
    countTogether: (waiting: readonly Job[], most: number): number => {
      const alone = waiting.slice(0, most).findIndex(isOnProbation);
      return alone < 0 ? most : Math.max(1, alone);
    },
    begin: (jobs: readonly Job[]): Batch => {
      const batch: Batch = { jobs, isSuspect: false };
      for (const job of jobs) job.batch = batch;
      if (isOnProbation(jobs[0]!)) late(batch);
      return batch;
    },
    late,
    answered: (batch: Batch): void => {
      if (batch.isSuspect) tell('clear', batch);
    },
    lost: (batch: Batch): void => tell('hold', batch),
  };
}

function listParts(
  { begunAt, endedAt }: AnsweredBatch,
  { waited, started, ended }: { waited: number; started: number; ended: number },
): BatchTimes {
  return {
    waiting: waited,
    handedOver: begunAt - started,
    computing: endedAt - begunAt,
    handedBack: ended - endedAt,
  };
}

function startWatch({ hangMs, onHung }: HangWatch, giveUp: (error: ShortlistError) => void): NodeJS.Timeout {
  return setTimeout(() => {
    const what = `A computing thread has not answered for ${hangMs} ms; it hangs.`;
    const error = new ShortlistError('COMPUTE_FAILED', what);
    giveUp(error);
    onHung(error);
  }, hangMs);
}

function settle(jobs: readonly Job[], { answers }: AnsweredBatch): void {
  jobs.forEach((job, index) => {
    const answer = answers[index]!;
    if ('error' in answer) return fail(job, unpackError(answer.error));
    clearTimeout(job.timer);
    job.resolve(answer);
  });
}

function fail({ timer, reject }: Job, error: unknown): void {
  clearTimeout(timer);
  reject(error);
}
