import type { Manifest } from '../../../bundle/manifest.js';
import type { TrainingProfile } from '../../../config/training-profile.js';
import type { InteractionTable } from '../../../domain/interactions.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import { readTrainingDataset } from '../../data/settle-times.js';
import {
  chooseProtocol,
  chooseTrainingProtocol,
  type ProtocolNames,
} from '../../protocol/choose-protocol.js';
import { openImportedEncoder } from '../encoder/imported-encoder.js';
import { openOnnxRanker } from '../../../ranking/onnx-ranker.js';
import { measureReference, type Reference } from './measure-reference.js';
import { reportJob } from '../../progress/time-left.js';
import { reportTarget } from './report-target.js';
import type { SearchSummary } from './search-summary.js';
import { weighEngine } from '../stage-one/measure-worths.js';
import { createCandidateEngine } from '../stage-one/create-candidate-engine.js';
import { trainBundle, type TrainedBundle, type TrainingOptions } from './train-bundle.js';
import type { Provenance } from './provenance.js';
import { writeTrainedBundle } from './write-trained-bundle.js';
import { reportTimes } from './report-times.js';

/** Options of `trainDataset`. */
export type DatasetTrainingOptions = Omit<TrainingOptions, 'importedRanker' | 'trainingProtocol'> &
  ProtocolNames & {
    provenance: Provenance;
    /** Takes the dataset as one without times. */
    ignoreTimes?: boolean | undefined;
    /** Folder of the encoder that was imported for the dataset; there need not be one. */
    encoderDir?: string | undefined;
    /** The profile that made the config; full when not said. */
    profile?: TrainingProfile | undefined;
    /** How the config was found, if it was searched for. */
    search?: SearchSummary | undefined;
  };

/**
 * Trains a bundle on a whole prepared dataset and writes it, in place of an earlier one.
 * @throws ShortlistError INVALID_DATASET, TRAINING_FAILED; INVALID_CONFIG or INVALID_BUNDLE when the encoder does not fit
 */
export async function trainDataset(
  preparedDir: string,
  trainedDir: string,
  options: DatasetTrainingOptions,
): Promise<Manifest> {
  const { config, ignoreTimes } = options;
  const dataset = await readTrainingDataset(preparedDir, { seed: config.seed, ignoreTimes });
  return trainPrepared(dataset, trainedDir, options);
}

/** The same on a dataset that was read, its times settled. */
export async function trainPrepared(
  dataset: PreparedDataset,
  trainedDir: string,
  given: DatasetTrainingOptions,
): Promise<Manifest> {
  const { times } = dataset.interactions;
  const protocol = chooseProtocol(given, times);
  const trainingProtocol = chooseTrainingProtocol(given.config, { protocol, times });
  const options = { ...given, trainingProtocol, progress: reportJob(given.progress) };
  reportTimes(dataset, given.progress);
  reportTarget(dataset, options);
  const known = { train: dataset.interactions, knownUntil: findKnownUntil(dataset.interactions) };
  const encoder = await openImportedEncoder(options.encoderDir, dataset);
  try {
    const trained = await trainBundle(known, dataset, { ...options, encoder });
    const reference = await measureTrained(trained, dataset, options);
    return await writeTrainedBundle(trainedDir, trained, { dataset, ...options, reference });
  } finally {
    await encoder?.close();
  }
}

async function measureTrained(
  { stageOne, worths, ranker: { onnx, featureOrder } }: TrainedBundle,
  dataset: PreparedDataset,
  { scenario, progress }: Pick<DatasetTrainingOptions, 'scenario' | 'progress'>,
): Promise<Reference> {
  const step = progress.start('reference for drift');
  const ranker = await openOnnxRanker(onnx, { columns: featureOrder.length });
  try {
    const engine = weighEngine(await createCandidateEngine(stageOne, dataset, scenario), worths);
    const reference = await measureReference(engine, ranker, scenario);
    step.finish(`${reference.rows} candidates of ${reference.requests} users`);
    return reference;
  } finally {
    await ranker.close();
  }
}

/** The Unix second after the newest interaction, because what is known at a time is what lies before it. */
export function findKnownUntil({ timestamp }: InteractionTable): number {
  return timestamp.reduce((latest, time) => Math.max(latest, time), Number.NEGATIVE_INFINITY) + 1;
}
