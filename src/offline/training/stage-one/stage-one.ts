import { availableParallelism } from 'node:os';
import type { TensorFile } from '../../../bundle/tensor-file.js';
import { SOURCES } from '../../../candidates/sources.js';
import type { SettledConfig } from '../../../config/training-config.js';
import type { Histories } from '../../../domain/history.js';
import type { ItemLinks } from '../../../domain/item-links.js';
import { toHistories, type InteractionTable } from '../../../domain/interactions.js';
import type { FeatureTable } from '../../../features/feature-table.js';
import type { ItemContexts } from '../../../features/item-contexts.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import type { KnownInteractions } from '../../protocol/splits.js';
import type { ProgressReporter } from '../../progress/progress.js';
import { runSideBySide } from '../../progress/run-side-by-side.js';
import { ENCODER, listMissingEncoder, type ImportedEncoder } from '../encoder/imported-encoder.js';
import { countContexts } from '../views/count-contexts.js';
import { buildDeclaredViews } from '../views/declared-view.js';
import { fitLinks } from '../candidates/fit-links.js';
import { buildItemView } from '../views/item-view.js';
import { findSkippedSources, trainSources } from '../candidates/train-sources.js';
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
  /** What is taken soon after what; absent where the rows of a user have no order. */
  readonly followers?: ItemLinks | undefined;
  /** Where the dataset declares a context: in which ones each item is taken. */
  readonly contexts?: ItemContexts | undefined;
  /** `items` first. */
  readonly itemViews: readonly [FeatureTable, ...FeatureTable[]];
  /** `users` first. */
  readonly userViews: readonly [FeatureTable, ...FeatureTable[]];
}

/** Fewer interactions are fitted before threads have started. */
const INLINE_INTERACTIONS = 10_000;

/**
 * Threads that the fit of a stage 1 pays for: the caller's own for few interactions, else one per processor.
 * @param wanted decides where it is given
 */
export function countFitThreads({ train }: Pick<KnownInteractions, 'train'>, wanted?: number): number {
  return wanted ?? (train.item.length < INLINE_INTERACTIONS ? 1 : availableParallelism());
}

/**
 * Fits the candidate sources and the feature views on what is known: the same bit for bit with any number of threads.
 * @param options.threads default: `countFitThreads`
 */
export async function fitStageOne(
  known: KnownInteractions,
  dataset: PreparedDataset,
  options: {
    config: SettledConfig;
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
  }: { config: SettledConfig; progress: ProgressReporter; threads?: number | undefined },
): Promise<Pick<StageOne, 'artefacts' | 'followers'>> {
  const { train: interactions, histories, knownUntil } = known;
  const threads = countFitThreads(known, options.threads);
  const inputs = { interactions, histories, knownUntil, dataset, config, threads };
  const followerOptions = { ...config.followers, itemCount: dataset.catalogue.entities.size };
  const [artefacts, followers] = await runSideBySide(
    [
      (progress: ProgressReporter) => trainSources({ ...inputs, progress }),
      (progress: ProgressReporter) =>
        interactions.times.hasOrder
          ? fitLinks({ fit: 'followers', histories, options: followerOptions }, { threads, progress })
          : Promise.resolve(undefined),
    ],
    { threads, progress },
  );
  return { artefacts, followers };
}
