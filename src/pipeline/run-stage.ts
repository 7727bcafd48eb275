import { hasTrait, ShortlistError } from '../domain/errors.js';
import { type PackedError, unpackError } from '../domain/packed-error.js';
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

/**
 * Starts the record of one request.
 * @param failed what the caller tried before and went on without, by the name of the stage
 */
export function createStageRun(failed: Readonly<Record<string, PackedError | undefined>> = {}): StageRun {
  const records: StageTiming[] = [];
  const degraded: Degradation[] = [];
  for (const [stage, packed] of Object.entries(failed)) {
    if (packed === undefined) continue;
    const cause = unpackError(packed);
    records.push({ stage, milliseconds: 0, outcome: 'fallback', cause });
    degraded.push({ stage, reason: reasonOf(cause) });
  }
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
        degraded.push({ stage: name, reason: reasonOf(cause) });
        return fallback();
      }
    },
  };
}

/** A stable word: the code of the error. */
function reasonOf(cause: Error): string {
  return (cause instanceof ShortlistError ? cause.code : 'INTERNAL').toLowerCase();
}
