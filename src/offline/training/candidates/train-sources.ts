import type { TensorFile } from '../../../bundle/tensor-file.js';
import { alsToTensors } from '../../../candidates/als.js';
import { freshToTensors } from '../../../candidates/fresh.js';
import { popularInGroupToTensors } from '../../../candidates/popular-in-group.js';
import { popularityToTensors } from '../../../candidates/popularity.js';
import { similarItemsToTensors, type HistoryWeighting } from '../../../candidates/similar-items.js';
import { isSourceName, SOURCES, type SourceName } from '../../../candidates/sources.js';
import type { SettledConfig, TrainingConfig } from '../../../config/training-config.js';
import { DEFAULT_MAX_HISTORY, type Histories } from '../../../domain/history.js';
import type { InteractionTable } from '../../../domain/interactions.js';
import { whyUndated, whyUnordered } from '../../../domain/time-facts.js';
import { countAttributeValues, listDescriptiveAttributes } from './attribute-model.js';
import { describeEaseCost, estimateEase } from './ease.js';
import { countGroupPopularity, hasGroups } from './group-popularity.js';
import { trainImplicitAls } from './implicit-als.js';
import { countPopularity } from './popularity.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import type { ProgressReporter } from '../../progress/progress.js';
import { runSideBySide } from '../../progress/run-side-by-side.js';
import { fitLinks } from './fit-links.js';

/** The data that candidate sources are trained on. */
export interface SourceInputs {
  readonly interactions: InteractionTable;
  readonly histories: Histories;
  /** Unix seconds. */
  readonly knownUntil: number;
  readonly dataset: PreparedDataset;
  readonly config: SettledConfig;
  /** More than 1: sources are trained side by side. */
  readonly threads: number;
  readonly progress: ProgressReporter;
}

/** Makes one artefact; every source of `SOURCES` with this file serves from it. */
interface SourceTrainer {
  readonly file: string;
  /** A source of this file that the dataset cannot have, though it has the file, with the reason. */
  readonly findMissing?: (dataset: PreparedDataset) => readonly (readonly [SourceName, string])[];
  /** Why the dataset cannot have it; undefined when it can. Looks at the whole dataset, so all cuts of it agree. */
  readonly findObstacle?: (dataset: PreparedDataset, config: TrainingConfig) => string | undefined;
  readonly train: (inputs: SourceInputs) => TensorFile | Promise<TensorFile>;
}

/** A history without an order is asked whole, as far as models count histories, and all of its items weigh alike. */
const UNORDERED: HistoryWeighting = { lastItems: DEFAULT_MAX_HISTORY, recencyExponent: 0 };

const TRAINERS: readonly SourceTrainer[] = [
  {
    file: SOURCES.als.file,
    train: async ({ histories, interactions, dataset, config, threads, progress }) =>
      alsToTensors(
        await trainImplicitAls(histories, {
          ...config.als,
          weighted: interactions.weighted === true,
          itemCount: dataset.catalogue.entities.size,
          seed: config.seed,
          threads,
          progress,
        }),
      ),
  },
  {
    file: SOURCES['similar-items'].file,
    train: async ({ histories, interactions, dataset, config: { similarItems }, ...how }) => {
      const options = { ...similarItems, itemCount: dataset.catalogue.entities.size };
      const links = await fitLinks({ fit: 'neighbours', histories, options }, how);
      const weighting = interactions.times.hasOrder ? similarItems : UNORDERED;
      return similarItemsToTensors(links, { 'similar-items': weighting });
    },
  },
  {
    file: SOURCES.ease.file,
    findObstacle: findEaseObstacle,
    findMissing: ({ interactions }) => {
      const why = whyUnordered(interactions.times);
      return why === undefined ? [] : [['ease-recent', why]];
    },
    train: async ({ histories, dataset, config: { ease }, ...how }) => {
      const options = { ...ease, itemCount: dataset.catalogue.entities.size };
      return similarItemsToTensors(await fitLinks({ fit: 'ease', histories, options }, how), {
        ease: { lastItems: ease.lastItems, recencyExponent: 0 },
        'ease-recent': { lastItems: ease.lastItems, recencyExponent: ease.recencyExponent },
      });
    },
  },
  {
    file: SOURCES.popular.file,
    train: ({ interactions, dataset }) =>
      popularityToTensors(countPopularity(interactions, { itemCount: dataset.catalogue.entities.size })),
  },
  {
    file: SOURCES.fresh.file,
    findObstacle: ({ catalogue }) =>
      listDescriptiveAttributes(catalogue).length > 0
        ? undefined
        : 'the items table has no attribute that features may read',
    train: ({ interactions, dataset, config }) =>
      freshToTensors(countAttributeValues(interactions, dataset.catalogue, config.fresh)),
  },
  {
    file: SOURCES['popular-in-group'].file,
    findObstacle: ({ users }, { popularInGroup }) =>
      hasGroups(users, popularInGroup)
        ? undefined
        : `no value of a categorical or boolean attribute of the users table is that of ${popularInGroup.minimumUsers} users`,
    train: ({ histories, dataset, config }) =>
      popularInGroupToTensors(
        countGroupPopularity(histories, dataset.users, {
          ...config.popularInGroup,
          itemCount: dataset.catalogue.entities.size,
        }),
      ),
  },
  createTrendingTrainer('trending', ({ trending }) => trending),
  createTrendingTrainer('trending-month', ({ trendingMonth }) => trendingMonth),
];

function createTrendingTrainer(
  name: 'trending' | 'trending-month',
  settingsOf: (config: TrainingConfig) => { halfLifeDays: number },
): SourceTrainer {
  return {
    file: SOURCES[name].file,
    findObstacle: ({ interactions }) => whyUndated(interactions.times),
    train: ({ interactions, knownUntil, dataset, config }) =>
      popularityToTensors(
        countPopularity(interactions, {
          itemCount: dataset.catalogue.entities.size,
          decay: { knownUntil, ...settingsOf(config) },
        }),
      ),
  };
}

function findEaseObstacle({ interactions }: PreparedDataset, { ease }: TrainingConfig): string | undefined {
  const users = new Set(interactions.user).size;
  const items = new Set(interactions.item).size;
  const cost = estimateEase({ users, items, interactions: interactions.user.length }, ease);
  const exceeded = [
    ...(cost.seconds > ease.maxSeconds ? [`ease.maxSeconds is ${ease.maxSeconds}`] : []),
    ...(cost.megabytes > ease.maxMegabytes ? [`ease.maxMegabytes is ${ease.maxMegabytes}`] : []),
  ];
  if (exceeded.length === 0) return undefined;
  return (
    `${items.toLocaleString('en')} items and ${users.toLocaleString('en')} users take ${describeEaseCost(cost)} per fit, ` +
    exceeded.join(' and ')
  );
}

/** Trains every candidate source that the dataset can have: artefacts by their file. */
export async function trainSources(inputs: SourceInputs): Promise<Map<string, TensorFile>> {
  const { dataset, config } = inputs;
  const feasible = TRAINERS.filter(({ findObstacle }) => findObstacle?.(dataset, config) === undefined);
  const artefacts = await runSideBySide(
    feasible.map(
      ({ train }) =>
        async (progress: ProgressReporter) =>
          train({ ...inputs, progress }),
    ),
    inputs,
  );
  return new Map(feasible.map(({ file }, index) => [file, artefacts[index]!]));
}

/** The sources that the dataset cannot have, with the reason. */
export function findSkippedSources(
  dataset: PreparedDataset,
  config: TrainingConfig,
): ReadonlyMap<string, string> {
  return new Map(
    TRAINERS.flatMap(({ file, findObstacle, findMissing }) => {
      const reason = findObstacle?.(dataset, config);
      return reason === undefined
        ? (findMissing?.(dataset) ?? [])
        : sourcesOf(file).map((name) => [name, reason] as const);
    }),
  );
}

/** The sources that serve from an artefact. */
export function sourcesOf(file: string): SourceName[] {
  return Object.keys(SOURCES)
    .filter(isSourceName)
    .filter((name) => 'file' in SOURCES[name] && SOURCES[name].file === file);
}
