import { ShortlistError } from '../../../domain/errors.js';
import { decodeVector, type FeatureRecord } from '../../../pipeline/feature-record.js';
import { hashFeatureOrder } from '../../../bundle/manifest.js';
import type { ProgressReporter } from '../../progress/progress.js';
import type { OfflineFeatures } from './offline-features.js';
import { readFeatureLog } from './read-feature-log.js';
import { createSkewTally, type FeatureSkew, type MissingItem } from './skew-tally.js';

/**
 * The differences between the features that one bundle served and those that are made of parquet at the same
 * times.
 */
export interface SkewReport {
  readonly bundle: string;
  /** What the rows of the views were taken from. */
  readonly origin: string;
  readonly tolerance: number;
  readonly requests: {
    readonly compared: number;
    /** Not compared: their answers say which stage fell back, so their values are known to be others. */
    readonly degraded: number;
  };
  readonly items: {
    readonly compared: number;
    /** Shown, and no candidate when the request is made again. */
    readonly missing: number;
    readonly missingExamples: readonly MissingItem[];
  };
  readonly features: readonly FeatureSkew[];
  /** Whether anything differs by more than is tolerated, or was not found again. */
  readonly isSkewed: boolean;
}

/** Problems that are named at most: one cause makes thousands. */
const LISTED = 10;

/**
 * Makes every logged vector of a bundle again and compares.
 * @throws ShortlistError INVALID_DATASET when the log is of other features or scenarios than the bundle and the configs here,
 * or a vector is damaged, naming the first of them
 */
export async function checkSkew(
  folder: string,
  offline: OfflineFeatures,
  options: { tolerance: number; requests: number; progress: ProgressReporter },
): Promise<SkewReport> {
  const { tolerance, progress } = options;
  const { version, featureOrder, views, origin } = offline;
  const tally = createSkewTally(featureOrder, { tolerance, views });
  const requests = { compared: 0, degraded: 0 };
  const problems: string[] = [];
  const step = progress.start(`skew of ${version}`, options.requests);
  for await (const record of readFeatureLog(folder, version)) {
    step.advance();
    if (record.degraded.length > 0) {
      requests.degraded++;
      continue;
    }
    const found = listObstacles(record, offline);
    problems.push(...found);
    if (found.length > 0) continue;
    requests.compared++;
    const recomputed = await offline.recompute(record);
    for (const { id, vector } of record.items) {
      const logged = decodeVector(vector, featureOrder.length)!;
      tally.add(record, id, { logged, recomputed: recomputed.get(id) });
    }
  }
  refuseProblems(problems, { folder, version });
  const features = tally.features();
  step.finish(`${requests.compared} requests, ${tally.items} items`);
  return {
    bundle: version,
    origin,
    tolerance,
    requests,
    items: {
      compared: tally.items,
      missing: tally.missingItems.count,
      missingExamples: tally.missingItems.examples,
    },
    features,
    isSkewed: tally.missingItems.count > 0 || features.some(({ differing }) => differing > 0),
  };
}

/** What is wrong with a line before anything is computed for it. */
function listObstacles(record: FeatureRecord, offline: OfflineFeatures): string[] {
  const { requestId, featuresHash, items } = record;
  const expected = hashFeatureOrder(offline.featureOrder);
  if (featuresHash !== expected)
    return [`request ${requestId}: its features are ${featuresHash}, those of the bundle ${expected}`];
  const obstacle = offline.findObstacle(record);
  if (obstacle !== undefined) return [`request ${requestId}: ${obstacle}`];
  const { length } = offline.featureOrder;
  return items
    .filter(({ vector }) => decodeVector(vector, length) === undefined)
    .map(
      ({ id }) => `request ${requestId}: the vector of item ${id} is damaged, it is not ${length} numbers`,
    );
}

function refuseProblems(
  problems: readonly string[],
  { folder, version }: { folder: string; version: string },
): void {
  if (problems.length === 0) return;
  const rest = problems.length - LISTED;
  throw new ShortlistError(
    'INVALID_DATASET',
    `Requests of ${version} in the feature log ${folder} cannot be made again here.`,
    { problems: [...problems.slice(0, LISTED), ...(rest > 0 ? [`and ${rest} more`] : [])] },
  );
}
