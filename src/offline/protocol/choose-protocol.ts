import {
  EVALUATION_PROTOCOLS,
  type EvaluationProtocol,
  type JudgingProtocol,
  type TrainingProtocol,
} from '../../config/evaluation-protocol.js';
import type { TrainingConfig } from '../../config/training-config.js';
import { ShortlistError } from '../../domain/errors.js';
import { whyUndated, whyUnordered, type TimeFacts } from '../../domain/time-facts.js';
import type { EvaluationSplit } from './splits.js';

/** Where a protocol may be named. */
export interface ProtocolNames {
  /** By whoever asks, now. */
  readonly protocol?: EvaluationProtocol | undefined;
  /** By the config of the dataset. */
  readonly datasetProtocol?: EvaluationProtocol | undefined;
}

/**
 * The protocol to judge by: the one that was asked for, else the dataset's, else by the times: `chronological` where the rows of a user have
 * an order, `random` where not. What the dataset's config says of its times does not hold where these are ignored.
 * @throws ShortlistError INVALID_DATASET where the times do not allow the one that is named
 */
export function chooseProtocol(
  { protocol, datasetProtocol }: ProtocolNames,
  times: TimeFacts,
): EvaluationProtocol {
  const byTimes = times.hasOrder ? 'chronological' : 'random';
  const isOutdated =
    times.ignored === true && datasetProtocol !== undefined && whyUnfit(datasetProtocol, times) !== undefined;
  const chosen = protocol ?? (isOutdated ? byTimes : (datasetProtocol ?? byTimes));
  refuseUnfitProtocol(chosen, times);
  return chosen;
}

/** Why the times of a dataset do not allow a protocol; undefined where they do. */
export function whyUnfit(protocol: EvaluationProtocol, times: TimeFacts): string | undefined {
  if (protocol === 'random') return undefined;
  return protocol === 'rolling' ? whyUndated(times) : whyUnordered(times);
}

/** @throws ShortlistError INVALID_DATASET where the times do not allow the protocol, with those that they do */
export function refuseUnfitProtocol(protocol: EvaluationProtocol, times: TimeFacts): void {
  const why = whyUnfit(protocol, times);
  if (why === undefined) return;
  const fitting = EVALUATION_PROTOCOLS.filter((other) => whyUnfit(other, times) === undefined);
  const remedy =
    times.ignored === true
      ? 'Or go without --ignore-times.'
      : 'Or bring a timestamp that tells them apart: row_number() OVER () in the SQL, if the rows of the files are in the order in which ' +
        'things happened.';
  throw new ShortlistError(
    'INVALID_DATASET',
    `The protocol ${protocol} splits by time: ${why}. Take ${fitting.map((name) => `\`--protocol ${name}\``).join(' or ')}; ` +
      `\`evaluation.protocol\` in the dataset config says so for good. ${remedy}`,
  );
}

/**
 * How the rows that train a serving ranker are split: as the config says, and with `auto` point-in-time wherever there is time. A ranker serves what
 * comes next, whatever it is judged by.
 * @param protocol that judges
 */
export function chooseTrainingProtocol(
  { ranker }: Pick<TrainingConfig, 'ranker'>,
  { protocol, times }: { protocol: JudgingProtocol; times: TimeFacts },
): TrainingProtocol {
  const { trainingProtocol = 'auto' } = ranker;
  if (trainingProtocol !== 'auto') return trainingProtocol;
  if (protocol === 'rolling') return 'rolling';
  return times.hasOrder ? 'chronological' : 'random';
}

/**
 * Held-out rows come after the rows that train where so large a share of the pairs of both is in that order: 1 where a protocol cuts by time,
 * a half where rows are drawn.
 */
const LEAST_LATER_SHARE = 0.75;

/**
 * The same for a ranker that is judged on a split. Where that holds out rows from between those that train, a ranker that learned what comes next
 * would be asked something else than it learned: with `auto` its rows are drawn at random then, as the split is.
 */
export function chooseProtocolForSplit(
  config: Pick<TrainingConfig, 'ranker'>,
  { split, ...judged }: { protocol: JudgingProtocol; times: TimeFacts; split: EvaluationSplit },
): TrainingProtocol {
  const chosen = chooseTrainingProtocol(config, judged);
  const isAuto = (config.ranker.trainingProtocol ?? 'auto') === 'auto';
  if (!isAuto || chosen !== 'chronological') return chosen;
  return measureLaterShare(split) >= LEAST_LATER_SHARE ? chosen : 'random';
}

/**
 * Of the pairs of a held-out row and a train row of one user, the share in which the held-out one is later, rows of one time counting half;
 * mean over the users who have both, a half where nobody has.
 */
export function measureLaterShare({ train, tested }: Pick<EvaluationSplit, 'train' | 'tested'>): number {
  let [sum, users] = [0, 0];
  let [from, at] = [0, 0];
  while (at < tested.user.length) {
    const user = tested.user[at]!;
    while (from < train.user.length && train.user[from]! < user) from++;
    let [end, before, upTo, later] = [from, from, from, 0];
    while (end < train.user.length && train.user[end] === user) end++;
    const first = at;
    for (; at < tested.user.length && tested.user[at] === user; at++) {
      const time = tested.timestamp[at]!;
      while (before < end && train.timestamp[before]! < time) before++;
      while (upTo < end && train.timestamp[upTo]! <= time) upTo++;
      later += (before - from + (upTo - from)) / 2;
    }
    if (end === from) continue;
    sum += later / ((at - first) * (end - from));
    users++;
  }
  return users === 0 ? 0.5 : sum / users;
}
