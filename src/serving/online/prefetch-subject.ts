import { hasTrait } from '../../domain/errors.js';
import type { HistoryEvent } from '../../domain/event.js';
import { packError } from '../../domain/packed-error.js';
import { knowableUserOf, visitorIdOf } from '../../domain/subject.js';
import type { LiveHistories } from '../../events/live-histories.js';
import type { FeatureStore } from '../../features/feature-store.js';
import type { EventMetrics, LiveHistoryOutcome } from '../../observability/metrics/event-metrics.js';
import { chooseScenario, findScenario } from '../../pipeline/choose-scenario.js';
import type { FallbackEngine } from '../../pipeline/engine.js';
import type { Prefetched } from '../../pipeline/execution.js';
import { readHistory } from '../../pipeline/read-history.js';
import { readUserRows, type PrefetchedRows, type UserRows } from '../../pipeline/read-user-rows.js';
import type { RecommendationRequest } from '../../pipeline/recommendation-request.js';
import { toLiveHistory } from '../../pipeline/to-live-history.js';
import type { ShownCounts } from './shown-counts.js';

/** What says what subjects did lately. */
export interface LiveOptions {
  /** Absent where no events are kept. */
  readonly liveHistories?: LiveHistories | undefined;
  /** Are told what requests of users and sessions read. */
  readonly liveMetrics?: Pick<EventMetrics, 'observeLiveHistory'> | undefined;
  /** Knows what subjects were shown; absent where no rule asks. */
  readonly shownCounts?: ShownCounts | undefined;
}

/** What knows of subjects, apart from a bundle. */
export interface SubjectStores extends LiveOptions {
  /** Serve views of users in place of the bundle. */
  readonly online: readonly FeatureStore[];
  /** Whether the types of what was done are kept though no rule asks for them. */
  readonly keepsTypes?: boolean | undefined;
}

/** What was read of a subject: fields of `Prefetched`. */
type SubjectFacts = Pick<Prefetched, 'live' | 'liveFailure' | 'userRows' | 'tired'>;

/**
 * Reads what is known of the subject outside of the bundle: what it was shown too often, what it did lately, translated for the bundle, and the user's rows, where the
 * scenario may read them. A thread that computes does not wait for a network. Stores outside of the process are asked in one turn.
 * @returns no promise where all of them are in the process
 * @throws ShortlistError UNKNOWN_SCENARIO
 */
export function prefetchSubject(
  request: RecommendationRequest,
  engine: FallbackEngine,
  stores: SubjectStores,
): SubjectFacts | Promise<SubjectFacts> {
  const tired = findTired(request, engine, stores);
  const live = readLive(request, engine, stores);
  if (!(live instanceof Promise))
    return addRows(addTired(live, tired), readRows(request, { engine, stores, live }));
  const rows = readRows(request, { engine, stores });
  return Promise.all([live, rows]).then(([facts, userRows]) => addRows(addTired(facts, tired), userRows));
}

type LiveFacts = Pick<SubjectFacts, 'live' | 'liveFailure' | 'tired'>;

/** Undefined where no rule of the scenario asks, or nothing was shown too often. */
function findTired(
  { subject, scenario }: RecommendationRequest,
  { rules, catalogue, clock }: FallbackEngine,
  { shownCounts }: SubjectStores,
): Int32Array | undefined {
  const fatigue = rules.get(scenario)?.fatigue;
  if (fatigue === undefined || shownCounts === undefined || subject.isForgotten === true) return undefined;
  const hashes = shownCounts.findTired(subject, fatigue, clock());
  const items = hashes.flatMap((hash) => catalogue.entities.findHash(hash));
  return items.length === 0 ? undefined : Int32Array.from(items).sort();
}

function addTired(facts: LiveFacts, tired: Int32Array | undefined): LiveFacts {
  return tired === undefined ? facts : { ...facts, tired };
}

/** Nothing is known of the subject outside of the bundle. */
export const NO_FACTS: SubjectFacts = {};

function readLive(
  { subject, scenario, history }: RecommendationRequest,
  { catalogue, counting, rules }: FallbackEngine,
  { liveHistories, liveMetrics, keepsTypes = false }: SubjectStores,
): LiveFacts | Promise<LiveFacts> {
  if (liveHistories === undefined || history !== undefined || visitorIdOf(subject) === undefined)
    return NO_FACTS;
  const startedAt = performance.now();
  let readAt = startedAt;
  const tell = (outcome: LiveHistoryOutcome): void =>
    liveMetrics?.observeLiveHistory(outcome, (readAt - startedAt) / 1000);
  const translate = (events: readonly HistoryEvent[]): LiveFacts => {
    readAt = performance.now();
    const live =
      events.length === 0
        ? undefined
        : toLiveHistory(events, {
            items: catalogue.entities,
            counting,
            keepsTypes:
              keepsTypes || rules.get(scenario)?.readsTypes || counting?.target?.types !== undefined,
          });
    tell(live === undefined ? 'none' : 'used');
    return live === undefined ? NO_FACTS : { live };
  };
  /** The answer goes by the bundle's history, and says so. */
  const meetFailure = (error: unknown): LiveFacts => {
    if (!hasTrait(error, 'stageFallback')) throw error;
    readAt = performance.now();
    tell('failed');
    return { liveFailure: packError(error) };
  };
  try {
    const found = liveHistories.find(subject);
    return found instanceof Promise ? found.then(translate, meetFailure) : translate(found);
  } catch (error) {
    return meetFailure(error);
  }
}

function addRows(
  facts: LiveFacts,
  userRows: PrefetchedRows | undefined | Promise<PrefetchedRows>,
): SubjectFacts | Promise<SubjectFacts> {
  if (userRows === undefined) return facts;
  return userRows instanceof Promise
    ? userRows.then((read) => ({ ...facts, userRows: read }))
    : { ...facts, userRows };
}

/** @param options.live absent where it is not known yet */
function readRows(
  request: RecommendationRequest,
  { engine, stores, live }: { engine: FallbackEngine; stores: SubjectStores; live?: LiveFacts },
): PrefetchedRows | undefined | Promise<PrefetchedRows> {
  const userId = knowableUserOf(request.subject);
  const { online } = stores;
  if (online.length === 0 || userId === undefined || !mayReadRows(request, engine, live)) return undefined;
  const readAt = engine.clock();
  const reading = readUserRows(userId, {
    userStores: online,
    clock: () => readAt,
    observer: engine.observer,
  });
  const pack = ({ rows, failure, failedViews }: UserRows): PrefetchedRows => ({
    rows: new Map(online.map(({ view }, index) => [view.name, rows[index]!])),
    readAt,
    ...(failure !== undefined && { failure: packError(failure) }),
    ...(failedViews !== undefined && { failedViews }),
  });
  return reading instanceof Promise ? reading.then(pack) : pack(reading);
}

/** Where it is not known yet whether there is a history, either scenario may answer. */
function mayReadRows(
  request: RecommendationRequest,
  engine: FallbackEngine,
  live: LiveFacts | undefined,
): boolean {
  const requested = findScenario(request.scenario, engine);
  const history = readHistory(request, engine, live?.live).history;
  const scenarios = [chooseScenario(requested, history, engine), ...(live === undefined ? [requested] : [])];
  return scenarios.some(({ ranker, basis }) => ranker !== 'fusion' || basis !== 'nobody');
}
