import { hasTrait } from '../../domain/errors.js';
import type { Capture } from '../../pipeline/execution.js';
import type { SlateReport, RecommendationRequest } from '../../pipeline/recommendation-request.js';
import type { RecommendationService } from '../recommendation-service.js';
import type { Trial } from './experiment.js';

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

/** @param options.maxUnderWay requests that are computed or wait; those beyond are dropped */
export function createShadow(
  trial: Pick<Trial, 'find'>,
  { maxUnderWay, observer }: { maxUnderWay: number; observer: ShadowObserver },
): Shadow {
  const underWay = new Set<Promise<void>>();

  async function score(
    service: RecommendationService,
    ...[request, onScored, capture]: Parameters<Shadow['score']>
  ): Promise<void> {
    const startedAt = performance.now();
    try {
      const record = await service.recommend(request, { capture });
      onScored(record, performance.now() - startedAt);
      observer.answered();
    } catch (error) {
      if (hasTrait(error, 'late')) observer.dropped();
      else observer.failed(error);
    }
  }

  return {
    score: (request, onScored, capture) => {
      const service = trial.find(request);
      if (service === undefined) return;
      if (underWay.size >= maxUnderWay) return observer.dropped();
      const flight = score(service, request, onScored, capture).finally(() => underWay.delete(flight));
      underWay.add(flight);
    },
    settle: async () => void (await Promise.all(underWay)),
  };
}
