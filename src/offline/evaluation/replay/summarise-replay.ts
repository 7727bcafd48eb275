import { ShortlistError } from '../../../domain/errors.js';
import { estimateMean, type Estimate } from '../../protocol/mean-estimate.js';
import { pairedBootstrap, type PairedDifference } from '../../protocol/paired-bootstrap.js';
import type { ReplayLimits } from './list-walks.js';
import { REPLAY_ARMS, type ReplayArm, type ReplayedSplit } from './replay-split.js';

/** What knowing the latest events is worth: the figures of a replay, as `metrics.json` keeps them. */
export interface ReplayFigures {
  /** Per split. */
  readonly limits: ReplayLimits;
  /** Users walked, once for each split. */
  readonly walks: number;
  /** Events walked through. */
  readonly events: number;
  /** What the limits left out. */
  readonly leftOut: { readonly walks: number; readonly events: number };
  /** Questions: each was asked of every arm. */
  readonly asks: number;
  /** Frozen, where nothing is pushed; live, with the user's own events; control, with those of another user. */
  readonly arms: readonly ReplayedArm[];
}

/** The figures of one arm over all questions. */
export interface ReplayedArm {
  readonly arm: ReplayArm;
  /** Share of the slates that have what came next. */
  readonly hitRate: Estimate;
  /** 1 / its place, 0 where the slate does not have it. */
  readonly mrr: Estimate;
  /** The lead over the frozen arm; of that itself it is 0. */
  readonly over: { readonly hitRate: PairedDifference; readonly mrr: PairedDifference };
}

/** @throws ShortlistError INVALID_DATASET when there was no question */
export function summariseReplay(
  splits: readonly ReplayedSplit[],
  { limits, seed }: { limits: ReplayLimits; seed: number },
): ReplayFigures {
  const users = splits.flatMap((split) => split.users);
  if (users.length === 0) throw nothingToAsk(limits);
  const ranksOf = (arm: ReplayArm): number[] => splits.flatMap((split) => split.reciprocalRanks[arm]);
  const frozen = ranksOf('frozen');
  return {
    limits,
    walks: sumOf(splits, ({ walks }) => walks),
    events: sumOf(splits, ({ events }) => events),
    leftOut: {
      walks: sumOf(splits, ({ leftOut }) => leftOut.walks),
      events: sumOf(splits, ({ leftOut }) => leftOut.events),
    },
    asks: users.length,
    arms: REPLAY_ARMS.map((arm) => {
      const ranks = ranksOf(arm);
      const hits = ranks.map(Math.sign);
      return {
        arm,
        hitRate: estimateMean(hits),
        mrr: estimateMean(ranks),
        over: {
          hitRate: pairedBootstrap(hits, frozen.map(Math.sign), { seed, users }),
          mrr: pairedBootstrap(ranks, frozen, { seed, users }),
        },
      };
    }),
  };
}

function nothingToAsk({ events }: ReplayLimits): ShortlistError {
  return new ShortlistError(
    'INVALID_DATASET',
    `None of the first ${events} events of the users is of an item that is new to them: raise --replay-events.`,
  );
}

function sumOf<T>(list: readonly T[], count: (one: T) => number): number {
  return list.reduce((sum, one) => sum + count(one), 0);
}
