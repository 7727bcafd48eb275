import type { ItemIndex } from '../../bundle/manifest.js';
import type { JudgingProtocol, TrainingProtocol } from '../../config/evaluation-protocol.js';
import type { TimeFacts } from '../../domain/time-facts.js';
import type { AlsChoice } from '../training/candidates/choose-als-weights.js';
import type { SourceWorth } from '../training/stage-one/measure-worths.js';
import type { SearchSummary } from '../training/bundle/search-summary.js';
import type { RankerChoice } from '../training/ranker/train-ranker.js';
import type { CandidateFigures } from '../protocol/candidate-recall.js';
import type { PairedDifference } from '../protocol/paired-bootstrap.js';
import type { Estimate } from '../protocol/mean-estimate.js';
import type { QueryFigures } from './query-figures.js';
import type { ReplayFigures } from './replay/summarise-replay.js';
import type { RankingFigures } from '../protocol/ranking-metrics.js';

/** The maker of a ranking: a baseline, one candidate source, all of them fused, the served pipeline, or it in another scenario. */
export type RankingKind = 'baseline' | 'source' | 'fusion' | 'two-stage' | 'placement';

/** One evaluation, as `metrics.json` keeps it: plain JSON, every number finite. */
export interface EvaluationResult {
  readonly protocol: JudgingProtocol;
  /** How the rows that trained the ranker of the last split were split; absent for one that was trained elsewhere. */
  readonly trainingProtocol?: TrainingProtocol | undefined;
  readonly dataset: EvaluatedDataset;
  /** Length of the judged slates. */
  readonly k: number;
  /** Oldest first. */
  readonly splits: readonly EvaluatedSplit[];
  /** In the order they were given. */
  readonly rows: readonly EvaluationRow[];
  readonly comparison: Comparison;
  readonly candidates: CandidateFigures;
  /** Sources that the dataset cannot have, with the reason. */
  readonly skippedSources: readonly { readonly name: string; readonly reason: string }[];
  /** Two-stage beside the best single source, for each way to tell queries apart; the history of the user comes first. */
  readonly segmentations: readonly Segmentation[];
  /** In `queries.parquet` of a bundle, not in `metrics.json`. */
  readonly queries: QueryFigures;
  readonly ranker: RankerFigures;
  /** Of each feature group, where it was asked for. */
  readonly ablation?: readonly Ablation[] | undefined;
  /** What it is worth to know what users did lately, where it was asked for. */
  readonly replay?: ReplayFigures | undefined;
  /** The search for training parameters, where there was one; it saw nothing that is tested on. */
  readonly search?: SearchSummary | undefined;
  /** How `als` finds items where it is not by scoring them all in float32, with its recall on the latest train part. */
  readonly index?: ItemIndex | undefined;
  /** How the numbers of `als` were chosen, where the config leaves them open: one per split, or none. */
  readonly alsChoices?: readonly AlsChoice[] | undefined;
  /** Of the last split, where worths could be measured. */
  readonly sourceWorths?: readonly SourceWorth[] | undefined;
  readonly timings: readonly Timing[];
  readonly seed: number;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The command line that gives this result again. */
  readonly command: string;
}

/** The dataset of an evaluation, in counts. */
export interface EvaluatedDataset {
  readonly name: string;
  readonly users: number;
  readonly items: number;
  readonly interactions: number;
  /** What its times say. */
  readonly times: TimeFacts;
  /** What is judged, in words, where the dataset says it; every interaction is when absent. */
  readonly target?: string;
}

/** One split of an evaluation, in counts. */
export interface EvaluatedSplit {
  readonly label: string;
  /** Unix seconds. */
  readonly knownUntil: number;
  readonly trainRows: number;
  /** Rows held out, those of items that the user has in the train part too. */
  readonly testRows: number;
  /** How many of them have the time of a train row of their user: a draw says which was first. */
  readonly tiedRows: number;
  readonly queries: number;
}

/** One ranking with its figures: a line of the table. */
export interface EvaluationRow {
  readonly name: string;
  readonly kind: RankingKind;
  readonly metrics: RankingFigures;
  /** In the order of the splits. */
  readonly ndcgBySplit: readonly Estimate[];
  /** Relative difference of nDCG to the best single source (0.05 is 5 % better); null where that one scores 0. */
  readonly liftOverBestSingle: number | null;
}

/** The two-stage row against the best row that is a source or a baseline (chosen on the test queries, to its advantage). */
export interface Comparison extends PairedDifference {
  readonly bestSingle: string;
  readonly twoStage: string;
  /** As `EvaluationRow.liftOverBestSingle`. */
  readonly lift: number | null;
}

/** The queries of an evaluation, told apart in one way. */
export interface Segmentation {
  /** What tells them apart: `user country`. */
  readonly by: string;
  /** Each with at least one query. */
  readonly segments: readonly Segment[];
}

/** Two-stage against the best single source, on some of the queries. */
export interface Segment extends PairedDifference {
  readonly label: string;
  readonly queries: number;
  readonly twoStage: Estimate;
  readonly bestSingle: Estimate;
}

/** The ranker that was trained for a split. */
export interface SplitRanker {
  readonly split: string;
  readonly objective: string;
  readonly trees: number;
  /** Another objective was as good within the error of the held-out queries. */
  readonly isTossUp: boolean;
}

/** Figures of training the ranker of the last split. */
export interface RankerFigures {
  readonly objective: string;
  /** Trees kept. */
  readonly trees: number;
  /** What the curve shows. */
  readonly validationMetric: string;
  /** The metric on the held-out part of the training queries, after each tree grown. */
  readonly validationCurve: readonly number[];
  /** Those of all splits, in their order; none where the ranker was trained elsewhere. */
  readonly bySplit?: readonly SplitRanker[];
  /** Settings that were left to the data, and the objectives that were tried; absent where the ranker was trained elsewhere. */
  readonly choice?: RankerChoice | undefined;
  /** Total split gain per feature, in any order. */
  readonly featureImportance: readonly FeatureImportance[];
  /** The same by group, in reading order; what one source has is in the group of all retrieval too. */
  readonly featureGroups: readonly GroupImportance[];
}

/** The total gain of a feature group in the ranker of the last split. */
export interface GroupImportance {
  readonly group: string;
  readonly features: number;
  /** Total split gain of its features. */
  readonly gain: number;
}

/** The two-stage ranking with a ranker that was trained without a group of features, less the one with it. */
export interface Ablation extends PairedDifference {
  readonly group: string;
  /** nDCG@k without the group, over all queries. */
  readonly ndcg: Estimate;
}

/** A feature with the total gain of the splits that trees made on it. */
export interface FeatureImportance {
  readonly feature: string;
  readonly gain: number;
}

/** A step of an evaluation and the time that it took. */
export interface Timing {
  readonly step: string;
  readonly seconds: number;
}
