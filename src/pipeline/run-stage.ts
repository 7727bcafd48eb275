import { ShortlistError, type ErrorCode } from '../domain/errors.js';
import type { Degradation } from '../domain/slate.js';
import type { StageRecord } from './recommendation-request.js';

/** Failures of something a stage depends on. Everything else is our own mistake and fails the request. */
const FALL_BACK_ON: ReadonlySet<ErrorCode> = new Set([
  'SOURCE_FAILED',
  'VECTOR_ENGINE_FAILED',
  'FEATURES_FAILED',
  'FEATURES_NOT_LOADED',
  'RANKER_FAILED',
  'RANKER_TIMEOUT',
  'RANKER_INVALID_OUTPUT',
]);

/** The stages of one request: timed, and on the failure of a dependency answered by their fallback. */
export interface StageRun {
  readonly records: readonly StageRecord[];
  readonly degraded: readonly Degradation[];
  /**
   * @param fallback the stage's value when what it depends on fails; the answer then says so in `degraded`
   * @throws what `work` throws, when there is no fallback or when it is not the failure of a dependency
   */
  stage<T>(name: string, work: () => T | Promise<T>, fallback?: () => T): Promise<T>;
}

export function createStageRun(): StageRun {
  const records: StageRecord[] = [];
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
        if (fallback === undefined || !isDependencyFailure(cause)) throw cause;
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

function isDependencyFailure(cause: unknown): cause is ShortlistError {
  return cause instanceof ShortlistError && FALL_BACK_ON.has(cause.code);
}
