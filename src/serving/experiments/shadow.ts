import { hasTrait } from '../../domain/errors.js';
import { processClock } from '../../domain/process-clock.js';
import type { Capture } from '../../pipeline/execution.js';
import type { SlateReport, RecommendationRequest } from '../../pipeline/recommendation-request.js';
import type { Recommender } from '../recommender.js';
import type { Experiment } from './experiment.js';

/** Scores requests that others have answered. */
export interface Shadow {
  /**
   * Scores one beside the requests, where it is in the shadow's share and there is room for it; tells what came of it, and how many
   * milliseconds that took. Never throws, and nobody waits.
   */
  score(
    request: RecommendationRequest,
    onScored: (record: SlateReport, milliseconds: number) => void,
    capture?: Capture,
  ): void;
  /** Waits for what is under way. */
  settle(): Promise<void>;
}

/** What becomes of requests to the shadow; nothing here may throw. */
export interface ShadowObserver {
  answered(): void;
  /** There was no room for it, or no time. */
  dropped(): void;
  failed(error: unknown): void;
}

/** Bounds what a shadow takes from the requests that somebody waits for. */
export interface ShadowOptions {
  /** Requests that are computed or wait; those beyond are dropped. */
  readonly maxUnderWay: number;
  /** Milliseconds that a request has. */
  readonly deadlineMs: number;
  readonly observer: ShadowObserver;
}

/** Scores requests by the bundle of an experiment. */
export function createShadow(
  experiment: Pick<Experiment, 'find'>,
  { maxUnderWay, deadlineMs, observer }: ShadowOptions,
): Shadow {
  const underWay = new Set<Promise<void>>();

  async function score(
    recommender: Recommender,
    ...[request, onScored, capture]: Parameters<Shadow['score']>
  ): Promise<void> {
    const startedAt = processClock();
    try {
      const { record } = await recommender.recommend(request, { deadline: startedAt + deadlineMs, capture });
      onScored(record!, processClock() - startedAt);
      observer.answered();
    } catch (error) {
      if (hasTrait(error, 'late')) observer.dropped();
      else observer.failed(error);
    }
  }

  return {
    score: (request, onScored, capture) => {
      const recommender = experiment.find(request);
      if (recommender === undefined) return;
      if (underWay.size >= maxUnderWay) return observer.dropped();
      const flight = score(recommender, request, onScored, capture).finally(() => underWay.delete(flight));
      underWay.add(flight);
    },
    settle: async () => void (await Promise.all(underWay)),
  };
}
