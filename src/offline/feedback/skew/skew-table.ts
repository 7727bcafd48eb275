import type { SkewReport } from './check-skew.js';
import type { FeatureSkew, SkewExample } from './skew-tally.js';

/** The report for a person: a line for each feature that differs, and how many do not. */
export function renderSkew(report: SkewReport): string {
  const { bundle, origin, requests, items, features, tolerance } = report;
  const differing = features.filter((feature) => feature.differing > 0);
  const tolerated = features.reduce((sum, feature) => sum + feature.tolerated, 0);
  const missing = features.reduce((sum, feature) => sum + feature.missingBoth, 0);
  return [
    `Bundle ${bundle}: ${origin}.`,
    `${count(requests.compared)} requests with ${count(items.compared)} items of ${features.length} features compared` +
      (requests.degraded === 0 ? '.' : `; ${count(requests.degraded)} degraded requests left out.`),
    ...(tolerated === 0 ? [] : [`${count(tolerated)} values differ by no more than ${tolerance}.`]),
    ...(missing === 0 ? [] : [`${count(missing)} values are missing in both.`]),
    ...(items.missing === 0
      ? []
      : [
          `${count(items.missing)} items that were shown are no candidates now: ` +
            items.missingExamples.map(({ requestId, item }) => `${item} (request ${requestId})`).join(', '),
        ]),
    differing.length === 0
      ? `No feature differs.`
      : `${differing.length} of ${features.length} features differ:`,
    ...differing.flatMap(describeFeature),
  ].join('\n');
}

function describeFeature(skew: FeatureSkew): string[] {
  const { feature, compared, differing, missingOne, largest, examples } = skew;
  const absent = missingOne === 0 ? '' : `, ${count(missingOne)} missing in one`;
  return [
    `  ${feature}: ${count(differing)} of ${count(compared)} differ, by ${largest} at most${absent}`,
    ...examples.map((example) => `    ${describeExample(example)}`),
  ];
}

function describeExample({ requestId, time, user, item, logged, recomputed, status }: SkewExample): string {
  const whom = user === undefined ? '' : `user ${user}, `;
  const how = status === undefined ? '' : ` (${status})`;
  return `${whom}item ${item}: logged ${tell(logged)}${how}, recomputed ${tell(recomputed)}; request ${requestId} at ${time}`;
}

/** -0 is told from 0. */
function tell(value: number | null): string {
  if (value === null) return 'missing';
  return Object.is(value, -0) ? '-0' : String(value);
}

function count(value: number): string {
  return value.toLocaleString('en');
}
