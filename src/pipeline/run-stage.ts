import { hasTrait } from '../domain/errors.js';
import type { Degradation } from '../domain/slate.js';
import type { StageTiming } from './recommendation-request.js';

/** The stages of one request: timed, and on the failure of a dependency answered by their fallback. */
export interface StageRun {
  readonly records: readonly StageTiming[];
  readonly degraded: readonly Degradation[];
  /**
   * @param fallback the stage's value when what it depends on fails; the answer then says so in `degraded`
   * @throws what `work` throws, when there is no fallback or when it is not the failure of a dependency
   */
  stage<T>(name: string, work: () => T | Promise<T>, fallback?: () => T): Promise<T>;
}

/** Starts the record of one request; no stage has run. */
export function createStageRun(): StageRun {
  const records: StageTiming[] = [];
  const degraded: Degradation[] = [];
  return {
    records,
    degraded,
    stage: async (name, work, fallback) => {
      const started = performance.now();
      try {
        const value = await work();
        records.push({ stage: name, milliseconds: performance.now() - started, outcome: 'ok' });
        return value;
      } catch (cause) {
        if (fallback === undefined || !hasTrait(cause, 'stageFallback')) throw cause;
        records.push({
          stage: name,
          milliseconds: performance.now() - started,
          outcome: 'fallback',
          cause,
        });
        degraded.push({ stage: name, reason: cause.code.toLowerCase() });
        return fallback();
      }
    },
  };
}
