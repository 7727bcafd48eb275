import type { EvaluationResult } from './evaluation-result.js';
import { whyUndated, whyUnordered } from '../../domain/time-facts.js';
import { formatCount, formatShare } from '../report/figure-format.js';

/** What a reader should know of time in an evaluation, in sentences: which rows trained the ranker, ties, and what was not used. */
export function listTimeFacts(result: EvaluationResult): string[] {
  const { times } = result.dataset;
  const order = whyUnordered(times);
  const dates = whyUndated(times);
  return [
    ...describeTraining(result),
    ...(order === undefined ? [describeTies(result)] : [`Order of a user’s rows: not used, ${order}.`]),
    ...(dates === undefined ? [] : [`Age of interactions: not used, ${dates}.`]),
  ];
}

/** A split that holds out rows from between those that train asks another question than serving does. */
function describeTraining({ protocol, trainingProtocol, dataset }: EvaluationResult): string[] {
  if (trainingProtocol === undefined) return [];
  const drawn =
    (protocol === 'random' || protocol === 'frozen') &&
    trainingProtocol === 'random' &&
    dataset.times.hasOrder
      ? ', as rows are held out from between those that train; a bundle that serves learns from what came next'
      : '';
  return [`Rows that the ranker learned from: ${trainingProtocol}${drawn}.`];
}

function describeTies({ splits }: EvaluationResult): string {
  const tested = splits.reduce((sum, { testRows }) => sum + testRows, 0);
  const tied = splits.reduce((sum, { tiedRows }) => sum + tiedRows, 0);
  const drawn = tied === 0 ? '' : ': which of them came first was drawn by the seed';
  return (
    `Ties in time: ${formatCount(tied)} of ${formatCount(tested)} test rows (${formatShare(tied / tested)}) have the time of a ` +
    `train row of their user${drawn}.`
  );
}
