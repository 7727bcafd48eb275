import { createAlsSource, type AlsModel } from '../../candidates/als.js';
import type { CandidateSource } from '../../candidates/candidate-source.js';
import { createPopularitySource } from '../../candidates/popularity.js';
import { createRandomSource } from '../../candidates/random.js';
import { createSimilarItemsSource, type NeighbourLists } from '../../candidates/similar-items.js';
import type { TrainingConfig } from '../../config/training-config.js';
import { ShortlistError } from '../../domain/errors.js';
import type { Histories } from '../../domain/history.js';
import { toHistories, type InteractionTable } from '../../domain/interactions.js';
import {
  createFeatureAssembler,
  listFeatures,
  type FeatureInputs,
} from '../../features/feature-assembler.js';
import type { FeatureTable } from '../../features/feature-table.js';
import { alignToCatalogue } from '../../features/item-table.js';
import { createMemoryStore } from '../../features/memory-store.js';
import type { CandidateEngine } from '../../pipeline/engine.js';
import { trainImplicitAls } from '../candidate-training/implicit-als.js';
import { findItemNeighbours } from '../candidate-training/item-neighbours.js';
import { countPopularity } from '../candidate-training/popularity.js';
import type { PreparedDataset } from '../prepared-dataset.js';
import type { ProgressReporter } from '../progress.js';
import { buildDeclaredView } from './declared-view.js';
import { buildItemView } from './item-view.js';
import { buildUserView } from './user-view.js';
import { SECONDS_PER_DAY } from '../../domain/time.js';

/** Everything of a bundle but its ranker, fitted on interactions up to one time. */
export interface StageOne {
  readonly interactions: InteractionTable;
  readonly histories: Histories;
  /** Unix seconds. */
  readonly knownUntil: number;
  readonly als: AlsModel;
  readonly similarItems: NeighbourLists;
  /** Distinct users per item, over all known time and over the trending window. */
  readonly popular: Float32Array;
  readonly trending: Float32Array;
  /** `items` first. */
  readonly itemViews: readonly [FeatureTable, ...FeatureTable[]];
  /** `users` first. */
  readonly userViews: readonly [FeatureTable, ...FeatureTable[]];
}

/** What stage 1 is fitted on. */
export interface KnownInteractions {
  readonly train: InteractionTable;
  /** Unix seconds; no row of `train` is later. */
  readonly knownUntil: number;
}

/** Fits the candidate sources and the feature views on what is known. */
export function fitStageOne(
  known: KnownInteractions,
  dataset: PreparedDataset,
  options: { config: TrainingConfig; progress: ProgressReporter },
): StageOne {
  const { train, knownUntil } = known;
  const { config } = options;
  const histories = toHistories(train);
  const itemCount = dataset.catalogue.entities.size;
  const als = trainImplicitAls(histories, {
    ...config.als,
    itemCount,
    seed: config.seed,
    progress: options.progress,
  });
  return {
    interactions: train,
    histories,
    knownUntil,
    als,
    similarItems: findItemNeighbours(histories, { itemCount, ...config.similarItems }),
    popular: countPopularity(train, { itemCount }),
    trending: countPopularity(train, {
      itemCount,
      fromTimestamp: knownUntil - config.trendingDays * SECONDS_PER_DAY,
    }),
    itemViews: [
      buildItemView(train, dataset.catalogue, { knownUntil, freshness: dataset.views.items }),
      ...buildDeclaredViews(dataset, 'item', { knownUntil }),
    ],
    userViews: [
      buildUserView(dataset.users, { knownUntil, freshness: dataset.views.users }),
      ...buildDeclaredViews(dataset, 'user', { knownUntil }),
    ],
  };
}

function buildDeclaredViews(
  { views }: PreparedDataset,
  entity: 'item' | 'user',
  options: { knownUntil: number },
): FeatureTable[] {
  return views.declared
    .filter(({ spec }) => spec.entity === entity)
    .map((view) => buildDeclaredView(view, options));
}

/**
 * Stage 1 as the pipeline asks it, straight from training: what the ranker's training rows are made with.
 * @throws ShortlistError INVALID_DATASET when two columns give a feature of the same name
 */
export function createCandidateEngine(
  stageOne: StageOne,
  dataset: PreparedDataset,
  config: TrainingConfig,
): CandidateEngine {
  const sources: readonly CandidateSource[] = [
    createAlsSource(stageOne.als),
    createSimilarItemsSource(stageOne.similarItems, { lastItems: config.similarItems.lastItems }),
    createPopularitySource('popular', stageOne.popular),
    createPopularitySource('trending', stageOne.trending, { onlyPositive: true }),
    createRandomSource({ itemCount: dataset.catalogue.entities.size }),
  ];
  const { catalogue } = dataset;
  const [itemView, ...otherItemViews] = stageOne.itemViews;
  const inputs: FeatureInputs = {
    catalogue,
    items: [{ table: itemView }, ...otherItemViews.map((table) => alignToCatalogue(table, catalogue))],
    users: stageOne.userViews.map(({ view }) => view),
    sourceNames: FEATURE_SOURCES,
  };
  return {
    catalogue,
    users: dataset.users.entities,
    histories: stageOne.histories,
    knownUntil: stageOne.knownUntil,
    sources: new Map(sources.map((source) => [source.name, source])),
    assembler: createFeatureAssembler(inputs, listDistinctFeatures(inputs)),
    userStores: stageOne.userViews.map(createMemoryStore),
    clock: () => stageOne.knownUntil,
  };
}

/** The sources whose scores the ranker reads. */
const FEATURE_SOURCES = ['als', 'similar-items', 'popular', 'trending'];

/** A column `genre` and another `genre_recent`, say, would both give a feature `affinity.genre_recent`. */
function listDistinctFeatures(inputs: FeatureInputs): readonly string[] {
  const features = listFeatures(inputs);
  const twice = features.filter((name, index) => features.indexOf(name) !== index);
  if (twice.length === 0) return features;
  throw new ShortlistError('INVALID_DATASET', 'Columns of the dataset give different features one name.', {
    problems: twice.map((name) => `feature '${name}': rename a column in the SQL of the dataset, or a view`),
  });
}
