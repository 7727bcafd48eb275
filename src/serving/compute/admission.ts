import { ShortlistError } from '../../domain/errors.js';
import { createLoadEstimate, type LoadEstimate } from './load-estimate.js';

/** How much a queue takes. */
export interface AdmissionLimits {
  /** Requests that a thread answers together at most. */
  readonly maxBatch: number;
  /** Requests that wait at most; what comes beyond is refused. */
  readonly maxWaiting: number;
}

/** What a queue is about: its threads, the requests that wait for one, and those that are being computed. */
export type Busy = Readonly<Record<'threads' | 'waiting' | 'computing', number>>;

/** Decides which requests a queue takes, from what batches cost of late. */
export interface Admission {
  /** Why a request with so many milliseconds left is not taken; undefined when it is. */
  findRefusal(budgetMs: number, busy: Busy): ShortlistError | undefined;
  /** Tells of a batch that a thread has answered. */
  answered: LoadEstimate['answered'];
}

/**
 * Of its budget, what a request may be foreseen to take: some take longer, and what is computed for who has left is lost
 * for who still waits. A queue that is never empty keeps the threads as busy with less in it.
 */
const ADMITTED_SHARE = 0.7;

/**
 * Why a request that would wait too long is refused. One for all: it says the same of each, and thousands a second may come, each of which
 * would take down where it was made.
 */
export const OVERLOADED = new ShortlistError(
  'OVERLOADED',
  'More requests wait than can be answered in time.',
);

/** Creates the admission of a queue. It refuses what has no time left (DEADLINE_EXCEEDED) or would wait too long (OVERLOADED). */
export function createAdmission({ maxBatch, maxWaiting }: AdmissionLimits): Admission {
  const load = createLoadEstimate();

  /** Milliseconds until who comes now is answered, with its whole batch, after half of what is being computed and what waits. */
  function foresee({ threads, waiting, computing }: Busy): number {
    const count = Math.max(1, threads);
    const each = Math.ceil((waiting + 1) / count);
    const wholeBatches = Math.floor(each / maxBatch) * load.batchMs(maxBatch);
    return load.batchMs(computing / count) / 2 + wholeBatches + load.batchMs(each % maxBatch);
  }

  return {
    findRefusal: (budgetMs, busy) => {
      if (budgetMs <= 0)
        return new ShortlistError('DEADLINE_EXCEEDED', 'The request came without any time left.');
      const { waiting } = busy;
      if (waiting < maxWaiting && (waiting === 0 || foresee(busy) <= ADMITTED_SHARE * budgetMs))
        return undefined;
      return OVERLOADED;
    },
    answered: (batch) => load.answered(batch),
  };
}
