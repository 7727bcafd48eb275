import { openSource, type SourceName, SOURCES, UNTRAINED_SOURCES } from '../../../candidates/sources.js';
import type { ScenarioConfig } from '../../../config/scenario-config.js';
import { ShortlistError } from '../../../domain/errors.js';
import type { ItemLinks } from '../../../domain/item-links.js';
import { collectFeatureInputs } from '../../../features/collect-feature-inputs.js';
import {
  createFeatureAssembler,
  listFeatures,
  type FeatureAssembler,
  type FeatureInputs,
} from '../../../features/feature-assembler.js';
import { createMemoryHistories } from '../../../features/memory-histories.js';
import { createMemoryStore } from '../../../features/memory-store.js';
import { parseItemLinks } from '../../../features/read-item-links.js';
import type { CandidateEngine } from '../../../pipeline/engine.js';
import { createContextReader } from '../../../pipeline/read-context.js';
import { bindRules } from '../../../rules/bind-rules.js';
import type { ScenarioRules } from '../../../rules/rules.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import { sourcesOf } from '../candidates/train-sources.js';
import { ENCODER } from '../encoder/imported-encoder.js';
import type { StageOne } from './stage-one.js';

/**
 * Stage 1 as the pipeline asks it, straight from training: what the ranker's training rows are made with.
 * @throws ShortlistError INVALID_DATASET when two columns give a feature of the same name
 */
export async function createCandidateEngine(
  stageOne: StageOne,
  dataset: PreparedDataset,
  scenario: ScenarioConfig,
): Promise<CandidateEngine> {
  const opening = {
    itemCount: dataset.catalogue.entities.size,
    userViews: stageOne.userViews.map(({ view }) => view),
  };
  const sources = await Promise.all([
    ...listTrainedSources(stageOne).map(({ name, file }) =>
      // The encoder is open already: it is the same for every fit.
      name === ENCODER ? stageOne.encoder!.source : openSource(name, stageOne.artefacts.get(file), opening),
    ),
    ...UNTRAINED_SOURCES.map((name) => openSource(name, undefined, opening)),
  ]);
  return {
    catalogue: dataset.catalogue,
    users: dataset.users.entities,
    histories: createMemoryHistories(dataset.users.entities, stageOne.histories),
    scenarios: new Map([[scenario.name, scenario]]),
    rules: new Map([[scenario.name, bindTrainingRules(scenario, dataset)]]),
    readContext: createContextReader(stageOne.interactions.context),
    knownUntil: stageOne.knownUntil,
    sources: new Map(sources.map((source) => [source.name, source])),
    assembler: createTrainingAssembler(stageOne, dataset, scenario),
    userStores: stageOne.userViews.map(createMemoryStore),
    clock: () => stageOne.knownUntil,
  };
}

/** What the ranker learns of is what may be retrieved; nothing that people put up or down by hand. */
function bindTrainingRules(
  { rules }: ScenarioConfig,
  { catalogue, counting }: PreparedDataset,
): ScenarioRules {
  const lasting = rules.filter((rule) => typeof rule === 'string' || 'seen' in rule);
  return bindRules(lasting, { catalogue, target: counting?.target }).rules;
}

/**
 * The assembler for a ranker that is trained on this stage 1: all features that there are, in their natural
 * order.
 * @throws ShortlistError INVALID_DATASET when two columns give a feature of the same name
 */
export function createTrainingAssembler(
  stageOne: StageOne,
  { catalogue, counting }: PreparedDataset,
  scenario: ScenarioConfig,
): FeatureAssembler {
  const trained = listTrainedSources(stageOne).map(({ name }) => name);
  const inputs = collectFeatureInputs({
    catalogue,
    itemTables: stageOne.itemViews,
    userViews: stageOne.userViews.map(({ view }) => view),
    // What the scenario never asks scores nothing: its features would be the same for every candidate.
    sourceNames: trained.filter((name) => name in scenario.sources),
    similarItems: readSimilarItems(stageOne, catalogue.entities.size),
    followers: stageOne.followers,
    contexts: stageOne.contexts,
    times: stageOne.interactions.times,
    target: counting?.target,
    observer: undefined,
  });
  return createFeatureAssembler(inputs, listDistinctFeatures(inputs));
}

/** The links that the source of this name serves from. */
function readSimilarItems({ artefacts }: StageOne, itemCount: number): ItemLinks {
  const name = SOURCES['similar-items'].file;
  return parseItemLinks(artefacts.get(name)!, { itemCount, name });
}

/** The sources that were trained, each with the artefact it serves from: those whose scores the ranker reads. */
export function listTrainedSources({
  artefacts,
  skippedSources,
}: Pick<StageOne, 'artefacts' | 'skippedSources'>): { name: SourceName; file: string }[] {
  return [...artefacts.keys()].flatMap((file) =>
    sourcesOf(file)
      .filter((name) => !skippedSources.has(name))
      .map((name) => ({ name, file })),
  );
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
