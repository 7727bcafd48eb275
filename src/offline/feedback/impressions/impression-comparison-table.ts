import { alignColumns } from '../../report/align-columns.js';
import type { ImpressionComparison, ServedFigures } from './compare-impressions.js';

const ROWS: readonly [name: string, show: (served: ServedFigures) => string][] = [
  ['as', ({ releases }) => releases.join(', ')],
  ['slates', ({ slates }) => String(slates)],
  ['users and visitors', ({ users }) => String(users)],
  ['different items shown', ({ items }) => String(items)],
  ['share of all that both showed', ({ coverage }) => percent(coverage)],
  ['mean score', ({ meanScore }) => meanScore.toFixed(4)],
  ['computed answers, median', ({ medianMs }) => `${medianMs.toFixed(1)} ms`],
  ['computed answers, 95 %', ({ p95Ms }) => `${p95Ms.toFixed(1)} ms`],
  ['computed answers, 99 %', ({ p99Ms }) => `${p99Ms.toFixed(1)} ms`],
  ['degraded', ({ degraded }) => percent(degraded)],
  ['cold start', ({ coldStart }) => percent(coldStart)],
  ['empty', ({ empty }) => percent(empty)],
];

/** The comparison as a Markdown table and what the pairs say. */
export function renderImpressionComparison(comparison: ImpressionComparison): string {
  const {
    served,
    pairs,
    pairedBy,
    pairedItems,
    agreements,
    rankCorrelation: tau,
    scoreDifference,
  } = comparison;
  const [first, second] = served;
  const head = ['', `A ${first.bundle}`, `B ${second.bundle}`];
  const table = alignColumns([head, ...ROWS.map(([name, show]) => [name, show(first), show(second)])]);
  if (pairs === 0)
    return [...table, '', 'Nobody was served by both: there are no slates to pair.'].join('\n');
  const overlaps = agreements.map(({ k, overlap }) => `@${k} ${percent(overlap)}`).join(', ');
  return [
    ...table,
    '',
    pairedBy === 'request'
      ? `Same requests, one of the two in shadow (${pairs} pairs):`
      : `Same users and visitors, latest slates (${pairs} pairs):`,
    `- the same items: ${overlaps}`,
    `- order of the items in both (Kendall's tau): ${tau === undefined ? 'no pair shares two items' : tau.toFixed(3)}`,
    `- different items: ${pairedItems[0]} of A and ${pairedItems[1]} of B, ${pairedItems[2]} of them in both`,
    `- mean score, B less A: ${scoreDifference!.toFixed(4)} (comparable only where the rankers were trained for the same)`,
  ].join('\n');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
