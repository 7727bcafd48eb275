import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readBundleManifest } from '../bundle/bundle-files.js';
import { replaceFile } from '../bundle/durable-files.js';
import type { Manifest } from '../bundle/manifest.js';
import { isQuickTraining } from '../bundle/quick-training.js';
import { ShortlistError } from '../domain/errors.js';
import type { DatasetFolders } from './dataset-options.js';

/** What `data/trained/<dataset>.unfinished.json` says: a `train` that has not ended well. It is absent after one that has. */
interface UnfinishedTrain {
  /** ISO 8601 in UTC. */
  readonly startedAt: string;
  /** What it failed with; absent while it runs, and where it was killed. */
  readonly failure?: string;
}

/** Runs a training and keeps beside the bundle that it has begun, until it has ended well: `publish` looks there. */
export async function noteTrain<T>(
  { trainedDir }: Pick<DatasetFolders, 'trainedDir'>,
  startedAt: Date,
  train: () => Promise<T>,
): Promise<T> {
  const file = fileOf(trainedDir);
  const note = { startedAt: startedAt.toISOString() };
  await mkdir(dirname(file), { recursive: true });
  await replaceFile(file, JSON.stringify(note));
  try {
    const trained = await train();
    await rm(file, { force: true });
    return trained;
  } catch (error) {
    const failure = error instanceof ShortlistError ? `${error.code}: ${error.message}` : String(error);
    // Where that cannot be written, the file says that it has not ended.
    await replaceFile(file, JSON.stringify({ ...note, failure })).catch(() => undefined);
    throw error;
  }
}

/** Which training the bundle of a dataset comes from, for who publishes it. */
export interface TrainedOrigin {
  readonly says: string;
  /** What was prepared after it; absent where it is of what is prepared now. */
  readonly warning?: string;
}

/**
 * Looks where a trained bundle comes from.
 * @param options.allowEarlier says of a later training that has not ended well that it is known
 * @throws ShortlistError TRAINING_FAILED where the latest training has not ended well; BUNDLE_NOT_FOUND, INVALID_BUNDLE
 */
export async function findTrainedOrigin(
  { dataset, preparedDir, trainedDir }: DatasetFolders,
  { allowEarlier }: { allowEarlier: boolean },
): Promise<TrainedOrigin> {
  const manifest = await readBundleManifest(trainedDir);
  const unfinished = await readUnfinished(trainedDir);
  if (unfinished !== undefined && !allowEarlier)
    throw refuseEarlier(unfinished, { manifest, trainedDir, name: dataset.name });
  const rows = manifest.dataset.interactions.toLocaleString('en');
  const how = isQuickTraining(manifest) ? ' with --profile quick' : '';
  const says = `${trainedDir} was trained${how} at ${manifest.createdAt}, on ${rows} interactions of ${manifest.dataset.name}.`;
  const prepared = await readFingerprint(preparedDir);
  if (prepared === undefined || prepared === manifest.dataset.fingerprint) return { says };
  const warning =
    `Warning: ${preparedDir} is not what this bundle was trained on: it was prepared again. What is new there is not in the bundle, and who ` +
    'was left out of it since, as users who asked to be forgotten, still is: run `shortlist train`, and publish that.';
  return { says, warning };
}

/** @returns undefined where the latest training has ended well */
async function readUnfinished(trainedDir: string): Promise<UnfinishedTrain | undefined> {
  return (await readIfThere(fileOf(trainedDir))) as UnfinishedTrain | undefined;
}

/** @returns undefined where nothing is prepared, as where bundles are published from another machine */
async function readFingerprint(preparedDir: string): Promise<string | undefined> {
  const prepared = await readIfThere(join(preparedDir, 'prepared.json'));
  return (prepared as { fingerprint: string } | undefined)?.fingerprint;
}

async function readIfThere(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw error;
    throw new ShortlistError(
      'INVALID_DATASET',
      `${file} is damaged (${error.message}): run the command that wrote it again.`,
    );
  }
}

function refuseEarlier(
  { startedAt, failure }: UnfinishedTrain,
  { manifest, trainedDir, name }: { manifest: Manifest; trainedDir: string; name: string },
): ShortlistError {
  const outcome =
    failure === undefined ? 'has not ended: it still runs, or it was killed' : `failed (${failure})`;
  return new ShortlistError(
    'TRAINING_FAILED',
    `The latest \`shortlist train\` of ${name}, begun at ${startedAt}, ${outcome}. The bundle in ${trainedDir} is of an earlier one: ` +
      `${manifest.version}, trained at ${manifest.createdAt}. Run \`shortlist train\` again, or publish the earlier one with --allow-earlier-train.`,
  );
}

function fileOf(trainedDir: string): string {
  return `${trainedDir}.unfinished.json`;
}
