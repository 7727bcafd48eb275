import { ShortlistError } from '../../../domain/errors.js';

/**
 * The objective of the trees: `logistic` fits the probability that a row is relevant, `lambdarank` the order
 * of the rows of each query.
 */
export type RankingObjective = 'logistic' | 'lambdarank';

/** Parameters of gradient boosting; `DEFAULT_BOOSTING_OPTIONS` holds each default. */
export interface BoostingOptions {
  /** `logistic`: a label above 0 is relevant (Friedman 2001). `lambdarank`: labels are grades (Burges 2010). */
  readonly objective: RankingObjective;
  /** Trees at most; validation may stop earlier. */
  readonly maxTrees: number;
  /** Share of each tree's step that is taken, over 0 to 1. Smaller needs more trees. */
  readonly learningRate: number;
  /** Leaves per tree at most; growth splits the leaf with the largest gain next. 1 learns only the base score. */
  readonly maxLeaves: number;
  /** A split leaves at least so many (sampled) training rows on each side. */
  readonly minRowsPerLeaf: number;
  /** A split leaves at least this sum of second derivatives on each side. */
  readonly minHessianPerLeaf: number;
  /** Added to the second derivative of every leaf: larger is more careful with few rows. 0 turns it off. */
  readonly l2: number;
  /** Share of the columns that each tree may split on, over 0 to 1. */
  readonly featureFraction: number;
  /** Share of the rows that each tree is grown on, drawn anew per tree, over 0 to 1. */
  readonly rowFraction: number;
  /** Bins per column at most, 2 to 255. */
  readonly maxBins: number;
  /** Stops so many trees after the peak of the smoothed validation nDCG. 0 grows all trees; those up to the peak are kept either way. */
  readonly earlyStoppingRounds: number;
  /** k of the validation nDCG@k. */
  readonly ndcgCutoff: number;
  /** lambdarank: steepness of the pair probability. */
  readonly sigmoid: number;
  /** lambdarank: only pairs with a row among the first so many count; a little above the k that matters. */
  readonly truncation: number;
  /** lambdarank: evens out the pull of queries with many and with few pairs (LightGBM's `lambdarank_norm`). */
  readonly normalise: boolean;
  /** Decides which rows and columns are drawn. The same seed and rows give the same trees, bit for bit. */
  readonly seed: number;
}

/** LightGBM's defaults where it has them; l2 is XGBoost's, early stopping our own. */
export const DEFAULT_BOOSTING_OPTIONS: BoostingOptions = {
  objective: 'logistic',
  maxTrees: 300,
  learningRate: 0.1,
  maxLeaves: 31,
  minRowsPerLeaf: 20,
  minHessianPerLeaf: 1e-3,
  l2: 1,
  featureFraction: 1,
  rowFraction: 1,
  maxBins: 255,
  earlyStoppingRounds: 30,
  ndcgCutoff: 10,
  sigmoid: 1,
  truncation: 30,
  normalise: true,
  seed: 1,
};

/** Allowed range per number: least, most, whole numbers only; `above` marks a least that is itself left out. */
const RANGES: Readonly<
  Partial<Record<keyof BoostingOptions, { least: number; most: number; whole?: true; above?: true }>>
> = {
  maxTrees: { least: 1, most: 100_000, whole: true },
  learningRate: { least: 0, most: 1, above: true },
  maxLeaves: { least: 1, most: 65_536, whole: true },
  minRowsPerLeaf: { least: 1, most: Number.MAX_SAFE_INTEGER, whole: true },
  minHessianPerLeaf: { least: 0, most: Number.MAX_VALUE },
  l2: { least: 0, most: Number.MAX_VALUE },
  featureFraction: { least: 0, most: 1, above: true },
  rowFraction: { least: 0, most: 1, above: true },
  maxBins: { least: 2, most: 255, whole: true },
  earlyStoppingRounds: { least: 0, most: Number.MAX_SAFE_INTEGER, whole: true },
  ndcgCutoff: { least: 1, most: Number.MAX_SAFE_INTEGER, whole: true },
  sigmoid: { least: 0, most: 100, above: true },
  truncation: { least: 1, most: Number.MAX_SAFE_INTEGER, whole: true },
  seed: { least: -(2 ** 31), most: 2 ** 32 - 1, whole: true },
};

/**
 * Fills in defaults.
 * @throws ShortlistError TRAINING_FAILED naming every option outside its range
 */
export function completeBoostingOptions(given: Partial<BoostingOptions>): BoostingOptions {
  const options = { ...DEFAULT_BOOSTING_OPTIONS, ...given };
  const problems = (Object.keys(RANGES) as (keyof typeof RANGES)[]).flatMap((name) => {
    const { least, most, whole, above } = RANGES[name]!;
    const value = options[name] as number;
    const fits =
      value >= least && value <= most && !(above && value === least) && !(whole && !Number.isInteger(value));
    return fits
      ? []
      : [
          `${name} is ${value}: give a ${whole ? 'whole ' : ''}number ${above ? 'over' : 'of'} ${least} to ${most}`,
        ];
  });
  if (problems.length === 0) return options;
  throw new ShortlistError('TRAINING_FAILED', 'The options of the tree ranker are not valid.', { problems });
}
