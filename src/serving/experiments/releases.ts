import { ShortlistError } from '../../domain/errors.js';
import type { RecommendationService, ServiceDescription } from '../recommendation-service.js';
import type { SlateAnswer } from '../cache/slate-cache.js';
import type { Trial } from './experiment.js';

export interface ReleasesOptions {
  /** Serves everybody whom no trial answers. */
  readonly stable: RecommendationService;
  /** Answers its share of the users; what it cannot answer the stable bundle does. */
  readonly canary?: Trial | undefined;
  /** Answers nobody: here it is only opened, reloaded and closed with the others. */
  readonly shadow?: Trial | undefined;
  /** Milliseconds that a request has. */
  readonly deadlineMs?: number;
  readonly observer: CanaryObserver;
}

/** What becomes of requests to the canary; nothing here may throw. */
export interface CanaryObserver {
  answered(): void;
  /** It could not answer what the stable bundle was then asked, and what is no mistake of the client. */
  failed(error: unknown): void;
}

/** The service over the bundle in service and those that are tried beside it. */
export interface Releases {
  readonly service: RecommendationService;
  /** Is to be called whenever the state of a trial is another one. */
  readonly changed: () => void;
}

/** Of a request's time, what the canary has: a model of it that is slow leaves enough for the stable bundle. */
const CANARY_TIME_SHARE = 0.5;

/**
 * One service over several bundles. A user is answered by the canary or by the stable bundle, always by the same one; requests for no
 * user are answered by the stable one. Whether a reload succeeds is up to the stable bundle alone, and so is whether a request does.
 */
export function createReleases(options: ReleasesOptions): Releases {
  const { stable, canary, shadow, observer, deadlineMs = Number.POSITIVE_INFINITY } = options;
  const trials = [canary, shadow].filter((trial) => trial !== undefined);
  const listeners: (() => void)[] = [];

  /** What the canary answers; where it cannot, what the stable bundle answers in the time that is left. */
  async function tryFirst<T>(
    timeoutMs: number | undefined,
    tried: (time: { timeoutMs: number }) => T | Promise<T>,
    instead: (time: { timeoutMs: number }) => T | Promise<T>,
  ): Promise<T> {
    const arrivedAt = performance.now();
    const budgetMs = Math.min(timeoutMs ?? deadlineMs, deadlineMs);
    const askStable = (): T | Promise<T> =>
      instead({ timeoutMs: budgetMs - (performance.now() - arrivedAt) });
    try {
      const answer = await tried({ timeoutMs: CANARY_TIME_SHARE * budgetMs });
      observer.answered();
      return answer;
    } catch (error) {
      if (!isOfClient(error)) observer.failed(error);
      const answer = await askStable();
      // What the canary took for a mistake of the client is none to the stable bundle.
      if (isOfClient(error)) observer.failed(error);
      return answer;
    }
  }

  function describe(): ServiceDescription | undefined {
    const described = stable.describe();
    if (described === undefined || trials.length === 0) return described;
    return { ...described, trials: trials.map((trial) => trial.describe()) };
  }

  async function reloadTrials(): Promise<void> {
    const version = stable.describe()?.version;
    if (version !== undefined) await Promise.all(trials.map((trial) => trial.reload(version)));
  }

  const service: RecommendationService = {
    describe,
    views: () => stable.views(),
    findProblem: () => stable.findProblem?.(),
    examples: () => stable.examples(),
    recommend: (request, options = {}) => {
      const tried = canary?.find(request);
      if (tried === undefined) return stable.recommend(request, options);
      return tryFirst(
        options.timeoutMs,
        (time) => tried.recommend(request, { ...options, ...time }),
        (time) => stable.recommend(request, { ...options, ...time }),
      );
    },
    answer: (request, options) => {
      const tried = canary?.find(request);
      if (tried === undefined) return stable.answer(request, options);
      return tryFirst<SlateAnswer>(
        options.timeoutMs,
        async (time) => ({ ...(await tried.answer(request, { ...options, ...time })), release: 'canary' }),
        (time) => stable.answer(request, { ...options, ...time }),
      );
    },
    reload: async (options) => {
      const isStart = stable.describe() === undefined;
      try {
        await stable.reload(options);
      } finally {
        const reloading = reloadTrials();
        // Nobody is served before the first reload has ended: it does not wait for trials.
        if (!isStart) await reloading;
      }
      return describe()!;
    },
    onChange: (listener) => void listeners.push(listener),
    close: async () => {
      await Promise.all(trials.map((trial) => trial.close()));
      await stable.close();
    },
  };
  return { service, changed: () => listeners.forEach((listener) => listener()) };
}

function isOfClient(error: unknown): boolean {
  return error instanceof ShortlistError && error.status < 500;
}
