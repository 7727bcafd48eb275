import { availableParallelism } from 'node:os';
import type { TensorFile } from '../../../bundle/tensor-file.js';
import { openSource, type SourceName, SOURCES } from '../../../candidates/sources.js';
import type { ScenarioConfig } from '../../../config/scenario-config.js';
import type { TrainingConfig } from '../../../config/training-config.js';
import { ShortlistError } from '../../../domain/errors.js';
import type { Histories } from '../../../domain/history.js';
import type { ItemLinks } from '../../../domain/item-links.js';
import { toHistories, type InteractionTable } from '../../../domain/interactions.js';
import {
  createFeatureAssembler,
  listFeatures,
  type FeatureInputs,
} from '../../../features/feature-assembler.js';
import type { FeatureTable } from '../../../features/feature-table.js';
import type { ItemContexts } from '../../../features/item-contexts.js';
import { alignToCatalogue } from '../../../features/item-table.js';
import { createMemoryHistories } from '../../../features/memory-histories.js';
import { createMemoryStore } from '../../../features/memory-store.js';
import { parseItemLinks } from '../../../features/read-item-links.js';
import type { CandidateEngine } from '../../../pipeline/engine.js';
import { createContextReader } from '../../../pipeline/read-context.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import type { ProgressReporter } from '../../progress/progress.js';
import { runSideBySide } from '../../progress/run-side-by-side.js';
import { ENCODER, listMissingEncoder, type ImportedEncoder } from '../encoder/imported-encoder.js';
import { countContexts } from '../views/count-contexts.js';
import { buildDeclaredViews } from '../views/declared-view.js';
import { fitLinks } from '../candidates/fit-links.js';
import { buildItemView } from '../views/item-view.js';
import { findSkippedSources, sourcesOf, trainSources } from '../candidates/train-sources.js';
import { buildUserViews } from '../views/user-view.js';

/** Everything of a bundle but its ranker, fitted on interactions up to one time. */
export interface StageOne {
  readonly interactions: InteractionTable;
  readonly histories: Histories;
  /** Unix seconds. */
  readonly knownUntil: number;
  /** What the candidate sources serve from, by its file in the bundle. */
  readonly artefacts: ReadonlyMap<string, TensorFile>;
  /** Candidate sources that the dataset cannot have, with the reason. */
  readonly skippedSources: ReadonlyMap<string, string>;
  /** A candidate source that was trained elsewhere: it is no fit of these interactions, and the same for any. */
  readonly encoder: ImportedEncoder | undefined;
  /** What is taken soon after what. */
  readonly followers: ItemLinks;
  /** Where the dataset declares a context: in which ones each item is taken. */
  readonly contexts?: ItemContexts | undefined;
  /** `items` first. */
  readonly itemViews: readonly [FeatureTable, ...FeatureTable[]];
  /** `users` first. */
  readonly userViews: readonly [FeatureTable, ...FeatureTable[]];
}

/** The interactions that stage 1 is fitted on. */
export interface KnownInteractions {
  readonly train: InteractionTable;
  /** Unix seconds; no row of `train` is later. */
  readonly knownUntil: number;
}

/** Fewer interactions are fitted before threads have started. */
const INLINE_INTERACTIONS = 50_000;

/**
 * Fits the candidate sources and the feature views on what is known: the same bit for bit with any number of threads.
 * @param options.threads default: 1, which is the caller's own, for few interactions, else one per processor
 */
export async function fitStageOne(
  known: KnownInteractions,
  dataset: PreparedDataset,
  options: {
    config: TrainingConfig;
    progress: ProgressReporter;
    threads?: number | undefined;
    encoder?: ImportedEncoder | undefined;
  },
): Promise<StageOne> {
  const { train, knownUntil } = known;
  const { encoder } = options;
  const histories = toHistories(train);
  const { artefacts, followers } = await fitModels({ train, knownUntil, histories }, dataset, options);
  return {
    interactions: train,
    histories,
    knownUntil,
    artefacts: new Map([
      ...artefacts,
      ...(encoder === undefined ? [] : [[SOURCES[ENCODER].file, encoder.artefact] as const]),
    ]),
    skippedSources: new Map([...findSkippedSources(dataset, options.config), ...listMissingEncoder(encoder)]),
    encoder,
    followers,
    contexts:
      train.context &&
      countContexts(train.context, { item: train.item, itemCount: dataset.catalogue.entities.size }),
    itemViews: [
      buildItemView(train, dataset.catalogue, { knownUntil, freshness: dataset.views.items }),
      ...buildDeclaredViews(dataset, 'item', { knownUntil }),
    ],
    userViews: buildUserViews(dataset, { knownUntil }),
  };
}

/** What takes long, side by side. */
async function fitModels(
  known: KnownInteractions & { histories: Histories },
  dataset: PreparedDataset,
  {
    config,
    progress,
    ...options
  }: { config: TrainingConfig; progress: ProgressReporter; threads?: number | undefined },
): Promise<Pick<StageOne, 'artefacts' | 'followers'>> {
  const { train: interactions, histories, knownUntil } = known;
  const few = histories.items.length < INLINE_INTERACTIONS;
  const threads = options.threads ?? (few ? 1 : availableParallelism());
  const inputs = { interactions, histories, knownUntil, dataset, config, threads };
  const followerOptions = { ...config.followers, itemCount: dataset.catalogue.entities.size };
  const [artefacts, followers] = await runSideBySide(
    [
      (progress: ProgressReporter) => trainSources({ ...inputs, progress }),
      (progress: ProgressReporter) =>
        fitLinks({ fit: 'followers', histories, options: followerOptions }, { threads, progress }),
    ],
    { threads, progress },
  );
  return { artefacts, followers };
}

/**
 * Stage 1 as the pipeline asks it, straight from training: what the ranker's training rows are made with.
 * @throws ShortlistError INVALID_DATASET when two columns give a feature of the same name
 */
export function createCandidateEngine(
  stageOne: StageOne,
  dataset: PreparedDataset,
  scenario: ScenarioConfig,
): CandidateEngine {
  const trained = listTrainedSources(stageOne);
  const itemCount = dataset.catalogue.entities.size;
  const sources = [
    ...trained.map(({ name, file }) =>
      name === ENCODER
        ? stageOne.encoder!.source
        : openSource(name, stageOne.artefacts.get(file), { itemCount }),
    ),
    openSource('random', undefined, { itemCount }),
  ];
  const { catalogue } = dataset;
  const [itemView, ...otherItemViews] = stageOne.itemViews;
  const inputs: FeatureInputs = {
    catalogue,
    items: [{ table: itemView }, ...otherItemViews.map((table) => alignToCatalogue(table, catalogue))],
    users: stageOne.userViews.map(({ view }) => view),
    // What the scenario never asks scores nothing: its features would be the same for every candidate.
    sourceNames: trained.map(({ name }) => name).filter((name) => name in scenario.sources),
    links: new Map([
      ['similar', readSimilarItems(stageOne, itemCount)],
      ['followers', stageOne.followers],
    ]),
    contexts: stageOne.contexts,
  };
  return {
    catalogue,
    users: dataset.users.entities,
    histories: createMemoryHistories(dataset.users.entities, stageOne.histories),
    scenarios: new Map([[scenario.name, scenario]]),
    readContext: createContextReader(stageOne.interactions.context),
    knownUntil: stageOne.knownUntil,
    sources: new Map(sources.map((source) => [source.name, source])),
    assembler: createFeatureAssembler(inputs, listDistinctFeatures(inputs)),
    userStores: stageOne.userViews.map(createMemoryStore),
    clock: () => stageOne.knownUntil,
  };
}

/** The links that the source of this name serves from. */
function readSimilarItems({ artefacts }: StageOne, itemCount: number): ItemLinks {
  const name = SOURCES['similar-items'].file;
  return parseItemLinks(artefacts.get(name)!, { itemCount, name });
}

/** The sources that were trained, each with the artefact it serves from: those whose scores the ranker reads. */
export function listTrainedSources({ artefacts }: StageOne): { name: SourceName; file: string }[] {
  return [...artefacts.keys()].flatMap((file) => sourcesOf(file).map((name) => ({ name, file })));
}

/** A column `genre` and another `genre_recent`, say, would both give a feature `affinity.genre_recent`. */
function listDistinctFeatures(inputs: FeatureInputs): readonly string[] {
  const features = listFeatures(inputs);
  const twice = features.filter((name, index) => features.indexOf(name) !== index);
  if (twice.length === 0) return features;
  throw new ShortlistError('INVALID_DATASET', 'Columns of the dataset give different features one name.', {
    problems: twice.map((name) => `feature '${name}': rename a column in the SQL of the dataset, or a view`),
  });
}
