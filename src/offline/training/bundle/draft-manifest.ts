import type { ManifestDraft } from '../../../bundle/write-bundle-files.js';
import type { SourceDefinition } from '../../../candidates/source-definition.js';
import { SOURCES } from '../../../candidates/sources.js';
import type { TrainingProtocol } from '../../../config/evaluation-protocol.js';
import type { TrainingConfig } from '../../../config/training-config.js';
import type { TrainingProfile } from '../../../config/training-profile.js';
import type { AttributeSpec } from '../../../domain/catalogue.js';
import type { FeatureView } from '../../../features/feature-view.js';
import type { ItemContexts } from '../../../features/item-contexts.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import { describeImportedRanker } from '../ranker/imported-ranker.js';
import { listTrainedSources } from '../stage-one/create-candidate-engine.js';
import type { StageOne } from '../stage-one/stage-one.js';
import { BUNDLE_PATHS } from './bundle-paths.js';
import type { Reference } from './measure-reference.js';
import { describeProvenance, type Provenance } from './provenance.js';
import type { SearchSummary } from './search-summary.js';
import type { TrainedBundle } from './train-bundle.js';

/** Facts of a manifest beside what was trained. */
export interface WritingOptions {
  readonly dataset: PreparedDataset;
  readonly config: TrainingConfig;
  readonly provenance: Provenance;
  /** How the rows that trained the ranker were split; absent where it was trained elsewhere, or that is not kept. */
  readonly trainingProtocol?: TrainingProtocol | undefined;
  /** The profile that made the config; full when not said. */
  readonly profile?: TrainingProfile | undefined;
  /** The search that the config comes from. */
  readonly search?: SearchSummary | undefined;
  /** What drift is measured against. */
  readonly reference?: Reference | undefined;
}

/** The manifest of what was trained, without what writing its files finds out. */
export function draftManifest(
  { stageOne, ranker, index, alsChoice, worths }: TrainedBundle,
  options: WritingOptions,
): ManifestDraft {
  const { dataset, config, profile, provenance, search, reference, trainingProtocol } = options;
  const { itemViews, userViews } = stageOne;
  const { timestamp, times, user } = stageOne.interactions;
  return {
    ...describeProvenance(provenance),
    dataset: {
      name: dataset.name,
      fingerprint: dataset.fingerprint,
      users: dataset.users.entities.size,
      items: dataset.catalogue.entities.size,
      interactions: user.length,
      from: timestamp.reduce((oldest, time) => Math.min(oldest, time), Number.POSITIVE_INFINITY),
      to: timestamp.reduce((newest, time) => Math.max(newest, time), Number.NEGATIVE_INFINITY),
      times,
    },
    knownUntil: stageOne.knownUntil,
    catalogue: { file: BUNDLE_PATHS.catalogue, attributes: dataset.catalogue.attributes.map(toSpec) },
    views: {
      ...Object.fromEntries([...itemViews, ...userViews].map(({ view }) => [view.name, copyView(view)])),
      items: copyView(itemViews[0].view),
      users: copyView(userViews[0].view),
    },
    sources: describeSources(stageOne, { index, worths }),
    ...(stageOne.followers && { followers: { file: BUNDLE_PATHS.followers } }),
    ...(stageOne.contexts && { context: describeContexts(stageOne.contexts) }),
    histories: {
      file: BUNDLE_PATHS.histories,
      ...(stageOne.histories.typed && { types: [...stageOne.histories.typed.names] }),
    },
    ...(dataset.counting && { interactions: dataset.counting }),
    ...(dataset.forgottenUntil !== undefined && { forgottenUntil: dataset.forgottenUntil }),
    ranker: describeRanker(ranker),
    ...(reference !== undefined && { reference }),
    training: {
      ...(profile === 'quick' && { profile }),
      config,
      ranker: describeTraining(ranker, trainingProtocol),
      ...(stageOne.encoder !== undefined && { encoder: stageOne.encoder.facts }),
      ...(alsChoice !== undefined && { als: alsChoice }),
      ...(search !== undefined && { search }),
    },
    metrics: {},
  };
}

/** The sources that the bundle serves, and those that it cannot serve, with the reason. */
function describeSources(
  stageOne: StageOne,
  { index, worths }: Pick<TrainedBundle, 'index' | 'worths'>,
): ManifestDraft['sources'] {
  const sources = Object.fromEntries([
    ...listTrainedSources(stageOne).map(({ name, file }) => {
      const { model }: SourceDefinition = SOURCES[name];
      const worth = worths.get(name);
      return [
        name,
        { file, ...(model !== undefined && { model }), ...(worth !== undefined && { worth }) },
      ] as const;
    }),
    ...[...stageOne.skippedSources].map(([name, skipped]) => [name, { skipped }] as const),
  ]);
  return index === undefined ? sources : { ...sources, als: { ...sources['als'], index: index.facts } };
}

function describeContexts({ timeZone, fields }: ItemContexts): NonNullable<ManifestDraft['context']> {
  return { file: BUNDLE_PATHS.contexts, timeZone, fields };
}

function describeRanker(ranker: TrainedBundle['ranker']): ManifestDraft['ranker'] {
  if (ranker.kind === 'imported') return describeImportedRanker(ranker, BUNDLE_PATHS.ranker);
  return {
    file: BUNDLE_PATHS.ranker,
    inputName: 'features',
    outputName: 'scores',
    objective: ranker.ensemble.objective,
    trees: ranker.ensemble.trees.length,
    featureOrder: [...ranker.featureOrder],
  };
}

function describeTraining(
  ranker: TrainedBundle['ranker'],
  trainingProtocol: TrainingProtocol | undefined,
): Record<string, unknown> {
  if (ranker.kind === 'imported') return { ...ranker.facts };
  return {
    rows: ranker.rows,
    queries: ranker.queries,
    ...(trainingProtocol !== undefined && { trainingProtocol }),
    exportDifference: ranker.exportDifference,
    choice: ranker.choice,
    validationCurve: [...ranker.ensemble.validationCurve],
  };
}

function toSpec({ name, role, shown, filterable, feature }: AttributeSpec): AttributeSpec {
  return { name, role, shown, filterable, feature };
}

/** The manifest's own copy of a view: its type has no readonly arrays. */
function copyView({ fields, ...view }: FeatureView) {
  const copied = fields.map(({ dictionary, ...field }) =>
    dictionary === undefined ? field : { ...field, dictionary: [...dictionary] },
  );
  return { ...view, fields: copied };
}
