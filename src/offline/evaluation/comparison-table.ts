import type { BundleComparison, RankingComparison } from './compare-bundles.js';
import { alignColumns } from '../report/align-columns.js';
import { formatCount, formatDifference, formatLift, formatScore } from '../report/figure-format.js';

/** Differences that chance makes less often than this are taken for real. */
const SIGNIFICANCE = 0.05;

/** The output of `shortlist compare`: the table, what differs in training, and the verdict in a sentence. */
export function renderComparison(comparison: BundleComparison): string {
  const { versions, dataset, protocol, k, queries, users, rankings, settings } = comparison;
  const confidence = `${Math.round(100 * rankings[0]!.confidence)} % interval`;
  const head = ['ranking', `A nDCG@${k}`, `B nDCG@${k}`, 'B − A', confidence, 'lift', 'p'];
  return [
    `A ${versions[0]}, B ${versions[1]}: ${dataset}, protocol ${protocol}, ` +
      `${formatCount(queries)} queries of ${formatCount(users)} users`,
    '',
    ...alignColumns([head, ...rankings.map(cellsOf)]),
    '',
    ...settings.map(([name, ours, theirs]) => `- ${name}: ${ours} in A, ${theirs} in B`),
    `- ${judge(rankings.at(-1)!)}`,
  ].join('\n');
}

function cellsOf({ name, means, difference, low, high, pValue }: RankingComparison): string[] {
  return [
    name,
    ...means.map(formatScore),
    formatDifference(difference),
    `${formatDifference(low)} to ${formatDifference(high)}`,
    formatLift(means[0] === 0 ? null : means[1] / means[0] - 1),
    formatScore(pValue),
  ];
}

function judge({ name, difference, low, high, pValue }: RankingComparison): string {
  const figures = `${formatDifference(difference)} nDCG, interval ${formatDifference(low)} to ${formatDifference(high)}, p = ${formatScore(pValue)}`;
  const isReal = pValue < SIGNIFICANCE && (low > 0 || high < 0);
  if (!isReal) return `Verdict: A and B cannot be told apart in ${name} (${figures}).`;
  return `Verdict: ${difference > 0 ? 'B is better than A' : 'B is worse than A'} in ${name} (${figures}).`;
}
