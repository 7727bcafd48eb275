import type { BundleFiles } from '../../bundle/bundle-files.js';
import type { ScenarioConfig } from '../../config/scenario-config.js';
import { closeEngine } from '../../engine/close-engine.js';
import { openEngine } from '../../engine/open-engine.js';
import type { Engine } from '../../pipeline/engine.js';
import { rankCorrelation } from '../protocol/list-agreement.js';
import { estimateMean } from '../protocol/mean-estimate.js';
import { findImportedRanker } from '../training/ranker/imported-ranker.js';
import { askUsers, listScenarios, type Asked } from './ask-users.js';
import { describeFailure } from './judge-ranker.js';
import type { LabelledRows } from './labelled-rows.js';
import { isWorseThanChance, measurePairAccuracy, type PairAccuracy } from './ranking-direction.js';
import type { RankerModel } from './read-ranker-model.js';

/** A rank correlation with the order before that is lower than this is an order turned round, not another opinion. */
const TURNED_ROUND = -0.2;

/** What a ranker is judged by, and for. */
export interface DirectionOptions {
  readonly model: RankerModel;
  /** Exported training rows, whose labels show whether a larger score is better. */
  readonly labels?: string | undefined;
  /** The queries in them; none without them. */
  readonly labelled: readonly LabelledRows[];
  readonly scenario: ScenarioConfig;
  readonly coldStart: ScenarioConfig | undefined;
  /** What it was asked, and answered. */
  readonly asked: Asked;
}

/** What was measured of the direction of scores. */
export interface DirectionFindings {
  /** How often what was taken is above what was not, in the exported rows; undefined without them. */
  readonly pairAccuracy: PairAccuracy | undefined;
  /** Mean rank correlation with the ranker that was there before, or with fusion where that was imported too. */
  readonly correlation: number | undefined;
}

type Direction = DirectionFindings & { problem?: string };

/**
 * Whether a larger score is better: by the labels of exported rows or, without them, by the order of the ranker that was there before
 * (by that of fusion, where it was imported too).
 */
export async function judgeDirection(
  engine: Engine,
  bundle: BundleFiles,
  options: DirectionOptions,
): Promise<Direction> {
  const nothing = { pairAccuracy: undefined, correlation: undefined };
  if (options.asked.failure !== undefined) return nothing;
  const measured = await measurePairAccuracy(engine.ranker, options.labelled).catch(
    describeFailure(`the rows of ${options.labels!}`),
  );
  if (measured !== undefined && 'problem' in measured) return { ...nothing, ...measured };
  const pairAccuracy = measured;
  if (pairAccuracy !== undefined) {
    if (!isWorseThanChance(pairAccuracy, 0.5)) return { ...nothing, pairAccuracy };
    const share = (100 * pairAccuracy.mean).toFixed(1);
    const problem =
      `it ranks worse than chance: over ${pairAccuracy.queries} queries of ${options.labels!} what was taken is above what was ` +
      `not in ${share} % of the pairs. ${adviseOnDirection(options.model)}`;
    return { ...nothing, pairAccuracy, problem };
  }
  const correlation = await correlateWithOld(bundle, options);
  if (correlation === undefined || correlation >= TURNED_ROUND) return { ...nothing, correlation };
  const problem =
    `it orders candidates against the ranking before it (mean rank correlation ${correlation.toFixed(2)} over ` +
    `${options.asked.orders.size} users). ${adviseOnDirection(options.model)}; if it is right as it is, show it with exported ` +
    'rows (--labels rows.parquet)';
  return { ...nothing, correlation, problem };
}

function adviseOnDirection({ classes }: RankerModel): string {
  const named =
    classes.length === 0 ? '' : `; here they are ${classes.map((each) => `'${each}'`).join(' and ')}`;
  return (
    'A larger score must be better, and of two classes the second column counts, in the order of their labels' +
    `${named}: train on labels 0 and 1, or negate the score`
  );
}

async function correlateWithOld(bundle: BundleFiles, options: DirectionOptions): Promise<number | undefined> {
  const { asked, scenario } = options;
  const isImported = findImportedRanker(bundle) !== undefined;
  const old: ScenarioConfig = isImported ? { ...scenario, ranker: 'fusion' } : scenario;
  const engine = await openEngine(bundle.folder, listScenarios({ ...options, scenario: old }));
  try {
    const { orders } = await askUsers(engine, old);
    const correlations = [...asked.orders].flatMap(([user, order]) => {
      const before = orders.get(user);
      return (before && rankCorrelation(order, before)) ?? [];
    });
    return correlations.length === 0 ? undefined : estimateMean(correlations).mean;
  } finally {
    await closeEngine(engine);
  }
}
