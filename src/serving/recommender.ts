import type { ExperimentRelease } from '../domain/release.js';
import type { Slate, SourceAttribution } from '../domain/slate.js';
import type { Execution } from '../pipeline/execution.js';
import type { SlateReport, RecommendationRequest } from '../pipeline/recommendation-request.js';

/**
 * Answers requests. Everything between a route and `recommend()` of the pipeline is one of these around another one:
 * `serving/stack.ts` puts them together.
 */
export interface Recommender {
  /**
   * @returns no promise where the answer is in memory
   * @throws ShortlistError NOT_READY before a bundle is open; OVERLOADED at once when there will be no answer by the deadline;
   * DEADLINE_EXCEEDED, COMPUTE_FAILED where nothing answers in place of the pipeline; what `recommend` of the pipeline throws
   */
  recommend(request: RecommendationRequest, run: Run): Answer | Promise<Answer>;
  /** Whether a request that came now with so many milliseconds would be refused, whatever it asks; absent where none is. */
  refuses?(budgetMs: number): boolean;
}

/** How a server runs one request. */
export interface Run extends Execution {
  /**
   * Milliseconds of `processClock` at which a computation ends that others may wait for as well: the deadline of a request that has as
   * much time as any. `deadline` where it is absent.
   */
  readonly sharedDeadline?: number | undefined;
  /** Writes the answer, for a cache that keeps bytes; without it nothing is looked up and nothing is kept. */
  readonly form?: SlateForm | undefined;
}

/** An answer, before the request that it is sent to is known. */
export interface Answer {
  readonly facts: SlateFacts;
  readonly cache: CacheOutcome;
  /** Where it was computed for this request, or for one that it joined. */
  readonly report?: SlateReport | undefined;
  /** As `Run.form` writes it; absent where no cache has written it: then there is a report. */
  readonly body?: Buffer | undefined;
  /** Whose bundle it is of; absent for the one in service. */
  readonly release?: ExperimentRelease | undefined;
}

/** What a log says of a slate, whether or not it was computed for the request. */
export interface SlateFacts extends Pick<Slate, 'scenario' | 'bundle' | 'strategy' | 'degraded'> {
  /** The items, in the order in which they are shown. */
  readonly itemIds: readonly string[];
  /** Ranking scores of the items. */
  readonly scores: readonly number[];
  /** What found each item, where the answer was to be logged. */
  readonly retrievedBy?: readonly (readonly SourceAttribution[])[];
}

/** Writes slates as an HTTP answer has them: a cache keeps the bytes and looks into none. */
export interface SlateForm {
  /** Names the form: a cache keeps the same slate once for each. */
  readonly name: string;
  write(slate: Slate): Buffer;
  /** Whether bytes from outside of the process are what `write` makes for this request, and the facts beside them are true of them. */
  isWritten(body: Buffer, facts: SlateFacts): boolean;
}

/** How an answer came about: `joined` waited for what another request had asked for, `off` met no cache. */
export type CacheOutcome = 'hit' | 'joined' | 'miss' | 'off';

/** The answer that a report is. */
export function toAnswer(report: SlateReport, cache: CacheOutcome): Answer {
  const { scenario, bundle, strategy, degraded, items } = report.slate;
  const isAttributed = items[0]?.retrievedBy !== undefined;
  const facts = {
    scenario,
    bundle,
    strategy,
    degraded,
    itemIds: items.map(({ itemId }) => itemId),
    scores: items.map(({ score }) => score),
    ...(isAttributed && { retrievedBy: items.map(({ retrievedBy }) => retrievedBy!) }),
  };
  return { facts, cache, report };
}
