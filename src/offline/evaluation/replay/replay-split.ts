import { toGivenContext } from '../../../domain/context.js';
import type { HistoryEvent } from '../../../domain/event.js';
import type { InteractionCounting } from '../../../domain/interactions.js';
import type { Engine } from '../../../pipeline/engine.js';
import { recommend } from '../../../pipeline/recommend.js';
import type { RecommendationRequest } from '../../../pipeline/recommendation-request.js';
import { toLiveHistory } from '../../../pipeline/to-live-history.js';
import type { ProgressReporter } from '../../progress/progress.js';
import type { EvaluationSplit } from '../../protocol/splits.js';
import { listAsks, listWalks, REPLAYED_TYPE, type ReplayAsk, type ReplayLimits } from './list-walks.js';

/** Whose events the recommender is told of: nobody's, the user's own, or another user's. */
export const REPLAY_ARMS = ['frozen', 'live', 'control'] as const;

/** One of `REPLAY_ARMS`. */
export type ReplayArm = (typeof REPLAY_ARMS)[number];

/** The answers to the questions of one split. */
export interface ReplayedSplit {
  /** User index, per question. */
  readonly users: readonly number[];
  /** Per arm and question: 1 / place of what came next, 0 where the slate does not have it. */
  readonly reciprocalRanks: Readonly<Record<ReplayArm, readonly number[]>>;
  /** Users that were walked, and events that they were walked through. */
  readonly walks: number;
  readonly events: number;
  /** Users and events of the split that the limits leave out. */
  readonly leftOut: { readonly walks: number; readonly events: number };
}

/** Options of `replaySplit`. */
export interface ReplayOptions {
  readonly limits: ReplayLimits;
  readonly seed: number;
  /** Length of the slates. */
  readonly k: number;
  /** The scenario that is asked. */
  readonly scenario: string;
  readonly progress: ProgressReporter;
}

/**
 * Walks users through what they did after the cut, in the order of time: asks for a slate, looks where the item is that came next, then
 * pushes the event, as a server takes live events in. All arms are asked the same: what the user took on the walk is in `exclude`, so that
 * none wins by showing only what is new.
 */
export async function replaySplit(
  split: EvaluationSplit,
  engine: Engine,
  options: ReplayOptions,
): Promise<ReplayedSplit> {
  const { limits, seed, progress } = options;
  const walks = listWalks(split, { ...limits, seed });
  const events = walks.reduce((sum, walk) => sum + walk.events.length, 0);
  const step = progress.start(`replay ${split.label}`, events);
  const users: number[] = [];
  const reciprocalRanks = { frozen: [] as number[], live: [] as number[], control: [] as number[] };
  for (const walk of walks) {
    for (const ask of listAsks(walk)) {
      users.push(walk.user);
      for (const arm of REPLAY_ARMS) {
        const slate = await askArm(arm, { ...ask, user: walk.user }, { engine, ...options });
        const place = slate.indexOf(engine.catalogue.entities.idAt(ask.target));
        reciprocalRanks[arm].push(place < 0 ? 0 : 1 / (place + 1));
      }
    }
    step.advance(walk.events.length);
  }
  step.finish(`${users.length} questions to ${walks.length} users`);
  const asked = new Set(split.queries.map(({ user }) => user));
  const held = split.tested.user.reduce((count, user) => count + Number(asked.has(user)), 0);
  return {
    users,
    reciprocalRanks,
    walks: walks.length,
    events,
    leftOut: { walks: split.queries.length - walks.length, events: held - events },
  };
}

/** @returns item ids, best first */
async function askArm(
  arm: ReplayArm,
  { user, own, strangers, context }: ReplayAsk & { user: number },
  { engine, k, scenario }: ReplayOptions & { engine: Engine },
): Promise<string[]> {
  const request: RecommendationRequest = {
    subject: { userId: engine.users.idAt(user) },
    scenario,
    limit: k,
    exclude: own.filter(({ settles }) => settles).map(({ itemId }) => itemId),
    filters: [],
    explain: 'none',
    context: context && toGivenContext(engine.manifest.context!, context),
  };
  const pushed: Record<ReplayArm, readonly HistoryEvent[]> = { frozen: [], live: own, control: strangers };
  const live = toLiveHistory(pushed[arm], {
    items: engine.catalogue.entities,
    counting: countingOf(engine),
    keepsTypes: engine.counting?.target?.types !== undefined,
  });
  const { slate } = await recommend(request, engine, { prefetched: { live } });
  return slate.items.map(({ itemId }) => itemId);
}

/** The rows of a prepared table are those that count, with the weights of their types in their values. */
function countingOf({ counting, manifest }: Engine): InteractionCounting {
  if (counting?.weights === undefined) return {};
  const types = [REPLAYED_TYPE, ...(manifest.histories.types ?? [])];
  return { weights: Object.fromEntries(types.map((type) => [type, 1])) };
}
