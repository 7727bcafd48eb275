import { hasTrait, ShortlistError } from '../domain/errors.js';
import type { ForgottenUsers } from '../domain/forgetting.js';
import { processClock } from '../domain/process-clock.js';
import { COMPUTE, traceWork } from '../observability/traced-work.js';
import { fallBack } from '../pipeline/fall-back.js';
import { keepLaterHistories } from '../events/forgotten/later-histories.js';
import type { InspectionJson, InspectionRequest } from '../pipeline/inspection/inspection.js';
import type { RecommendationRequest } from '../pipeline/recommendation-request.js';
import type { OpenBundle } from './bundle-life/open-bundle.js';
import type { SlateCache } from './cache/slate-cache.js';
import type { SlateKeys } from './cache/slate-key.js';
import type { Compute, InspectExecution } from './compute/compute.js';
import type { DriftWindow } from './drift/drift-window.js';
import { type LiveOptions, NO_FACTS, prefetchSubject } from './online/prefetch-subject.js';
import { type Answer, type CacheOutcome, type Recommender, type Run, toAnswer } from './recommender.js';

/** The layers of one bundle. */
export interface StackOptions extends LiveOptions {
  readonly drift?: DriftWindow | undefined;
  readonly cache?: { readonly slates: SlateCache; readonly keyOf: SlateKeys } | undefined;
  /** Says who asked to be forgotten. */
  readonly forgotten?: ForgottenUsers | undefined;
  /** Throws what the pipeline throws, for another bundle to answer, in place of what most people chose. */
  readonly isExperiment?: boolean | undefined;
  /** Keeps the bundle open until a work ends. */
  readonly hold: Hold;
}

/** Runs a work, and keeps what it needs open until it ends. */
export type Hold = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * The way of a request through one bundle, from the inside out: threads run `recommend()` of the pipeline; the drift statistics sample
 * what they rank; the cache keeps it; the fallback answers where all of that fails; what is known of the subject outside of the bundle,
 * which cache and fallback need, is read before them; and before all else, who asked to be forgotten becomes an unknown user. A served bundle puts `fromLease` around it, and a server with a canary puts `withCanary` around the leases of two.
 */
export function stackBundle(
  bundle: OpenBundle,
  { drift, cache, liveHistories, liveMetrics, shownCounts, forgotten, isExperiment, hold }: StackOptions,
): Recommender {
  let recommender = fromPipeline(bundle.compute);
  if (drift !== undefined) recommender = withDrift(recommender, drift);
  if (cache !== undefined) recommender = withCache(recommender, { ...cache, bundle, hold });
  if (isExperiment !== true) recommender = withFallback(recommender, bundle, cache ? 'miss' : 'off');
  if (liveHistories !== undefined || shownCounts !== undefined || bundle.online.length > 0)
    recommender = withSubject(
      recommender,
      bundle,
      hideForgotten({ liveHistories, liveMetrics, shownCounts, forgotten }),
    );
  if (forgotten !== undefined) recommender = withForgetting(recommender, bundle, forgotten);
  return recommender;
}

/** What says what subjects did lately, without what those did who asked to be forgotten since. */
function hideForgotten({ forgotten, ...live }: LiveOptions & Pick<StackOptions, 'forgotten'>): LiveOptions {
  const { liveHistories } = live;
  if (liveHistories === undefined || forgotten === undefined) return live;
  return { ...live, liveHistories: keepLaterHistories(liveHistories, forgotten) };
}

/**
 * Says how an answer of a bundle comes about, by what requests are answered by: who asked to be forgotten is unknown, and what is known of the
 * subject outside of the bundle is read. No cache is asked or filled, and nothing is counted.
 */
export async function inspectBundle(
  asked: InspectionRequest,
  bundle: OpenBundle,
  {
    forgotten,
    budgetMs,
    ...live
  }: Omit<LiveOptions, 'liveMetrics'> & Pick<StackOptions, 'forgotten'> & Pick<InspectExecution, 'budgetMs'>,
): Promise<InspectionJson> {
  const { engine, online, compute } = bundle;
  const request = forget(asked.request, engine, forgotten);
  const prefetched = await prefetchSubject(request, engine, {
    online,
    keepsTypes: true,
    ...hideForgotten({ ...live, forgotten }),
  });
  return compute.inspect({ ...asked, request }, { prefetched, budgetMs });
}

/** Computes each answer. */
export function fromPipeline(compute: Compute): Recommender {
  return {
    // A form has functions, which no thread can be sent.
    recommend: async (request, { deadline, depth, prefetched, capture }) => {
      const execution = { deadline, depth, prefetched, capture };
      return toAnswer(await traceWork(COMPUTE, () => compute.run(request, execution)), 'off');
    },
  };
}

/** Samples what is ranked. Nobody waits for it. */
function withDrift(next: Recommender, window: DriftWindow): Recommender {
  return {
    recommend: async (request, run) => {
      // What somebody did since the training is no drift of the bundle; named candidates and later pages are no list of its own.
      const isOfBundle =
        run.prefetched?.live === undefined &&
        request.sessionItems === undefined &&
        request.candidates === undefined &&
        request.shown === undefined;
      if (!isOfBundle || !window.isSampled(request)) return next.recommend(request, run);
      const answer = await next.recommend(request, { ...run, capture: { ...run.capture, sample: true } });
      const sample = answer.report?.sample;
      if (sample !== undefined) setImmediate(() => window.add(sample));
      return answer;
    },
  };
}

/** Answers with what is kept, and keeps what is computed. */
function withCache(
  next: Recommender,
  { slates, keyOf, bundle, hold }: NonNullable<StackOptions['cache']> & { bundle: OpenBundle; hold: Hold },
): Recommender {
  const { engine } = bundle;
  const { version } = engine.manifest;
  return {
    recommend: (request, run) => {
      const { form, deadline = Number.POSITIVE_INFINITY, sharedDeadline = deadline } = run;
      if (form === undefined) return next.recommend(request, run);
      // Two routes may write one slate in two ways.
      const overrides = engine.rules.overrides();
      const nameKey = (): string => `${form.name} ${keyOf(request, engine, run.prefetched)}`;
      const key = nameKey();
      return slates.answer({
        key,
        // Others may have been in force meanwhile, though these are again.
        isSame: () => engine.rules.overrides() === overrides && nameKey() === key,
        // An answer that was kept counts only where it is of this bundle.
        form: {
          ...form,
          isWritten: (body, facts) => facts.bundle === version && form.isWritten(body, facts),
        },
        deadline,
        sharedDeadline,
        // Others may join the computation: it has as long as any of them.
        compute: () => next.recommend(request, { ...run, deadline: sharedDeadline }),
        // Held by itself: it goes on for others when the request that it began with has ended.
        hold,
      });
    },
  };
}

/** Reads what stores outside of the bundle know of the subject. */
export function withSubject(
  next: Recommender,
  { engine, online }: OpenBundle,
  options: LiveOptions = {},
): Recommender {
  const stores = { online, ...options };
  return {
    recommend: (request, run) => {
      const facts = prefetchSubject(request, engine, stores);
      const proceed = (read: Awaited<typeof facts>): Answer | Promise<Answer> =>
        next.recommend(
          request,
          read === NO_FACTS ? run : { ...run, prefetched: { ...run.prefetched, ...read } },
        );
      return facts instanceof Promise ? facts.then(proceed) : proceed(facts);
    },
  };
}

/** Makes of a user who asked to be forgotten an unknown one, but where the bundle was made without what was known of them. */
function withForgetting(next: Recommender, { engine }: OpenBundle, forgotten: ForgottenUsers): Recommender {
  return { recommend: (request, run) => next.recommend(forget(request, engine, forgotten), run) };
}

/** The request as of an unknown user, where the user asked to be forgotten and the bundle was not made without what was known. */
function forget(
  request: RecommendationRequest,
  { manifest: { forgottenUntil = Number.NEGATIVE_INFINITY } }: OpenBundle['engine'],
  forgotten: ForgottenUsers | undefined,
): RecommendationRequest {
  const { userId } = request.subject;
  const at = userId === undefined ? undefined : forgotten?.find(userId);
  if (at === undefined || at <= forgottenUntil) return request;
  return { ...request, subject: { ...request.subject, isForgotten: true } };
}

/** Answers with what most people chose where the layers below have no answer in time. */
function withFallback(next: Recommender, { engine }: OpenBundle, cache: CacheOutcome): Recommender {
  async function answerInstead(
    request: RecommendationRequest,
    { prefetched }: Run,
    error: unknown,
  ): Promise<Answer> {
    if (!hasTrait(error, 'slateFallback')) throw error;
    return toAnswer(await fallBack(request, engine, { cause: error, prefetched }), cache);
  }
  return {
    recommend: (request, run) => {
      const answer = next.recommend(request, run);
      if (!(answer instanceof Promise)) return answer;
      return answer.catch((error: unknown) => answerInstead(request, run, error));
    },
  };
}

/** A bundle with its recommender, which stays open while requests run on it. */
export interface Lease {
  readonly recommender: Recommender;
  readonly hold: Hold;
}

/** Answers by the bundle that is open when a request comes, to the end. */
export function fromLease(findLease: () => Lease | undefined): Recommender {
  return {
    recommend: (request, run) => {
      const lease = findLease();
      if (lease === undefined) throw new ShortlistError('NOT_READY', 'No bundle is open yet.');
      const answer = lease.recommender.recommend(request, run);
      return answer instanceof Promise ? lease.hold(() => answer) : answer;
    },
  };
}

/** Is told of requests to the canary; nothing here may throw. */
export interface CanaryObserver {
  answered(): void;
  /** It could not answer a request that the stable bundle then answered, by no mistake of the client. */
  failed(error: unknown): void;
}

/** Of a request's time, the share of the canary: a model of it that is slow leaves enough for the stable bundle. */
const CANARY_TIME_SHARE = 0.5;

/** Answers some users by the canary: within half of their time, after which the stable bundle answers. */
export function withCanary(
  stable: Recommender,
  experiment: { find(request: RecommendationRequest): Recommender | undefined },
  observer: CanaryObserver,
): Recommender {
  return {
    refuses: (budgetMs) => stable.refuses?.(budgetMs) === true,
    recommend: (request, run) => {
      const canary = experiment.find(request);
      if (canary === undefined) return stable.recommend(request, run);
      return tryFirst(canary, stable, { request, run, observer });
    },
  };
}

async function tryFirst(
  canary: Recommender,
  stable: Recommender,
  asked: { request: RecommendationRequest; run: Run; observer: CanaryObserver },
): Promise<Answer> {
  const { request, run, observer } = asked;
  try {
    const answer = await canary.recommend(request, { ...run, deadline: findCanaryDeadline(run.deadline) });
    observer.answered();
    return { ...answer, release: 'canary' };
  } catch (error) {
    if (!isOfClient(error)) observer.failed(error);
    const answer = await stable.recommend(request, run);
    // The stable bundle answers what the canary refused: the refusal was the canary's own fault.
    if (isOfClient(error)) observer.failed(error);
    return answer;
  }
}

function findCanaryDeadline(deadline = Number.POSITIVE_INFINITY): number {
  const now = processClock();
  return now + CANARY_TIME_SHARE * (deadline - now);
}

function isOfClient(error: unknown): boolean {
  return error instanceof ShortlistError && error.status < 500;
}
