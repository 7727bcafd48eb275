import { copyFile } from 'node:fs/promises';
import { createUserColumns } from '../../candidates/user-columns.js';
import { openUserTower, type UserTower } from '../../candidates/user-tower.js';
import type { GoldenUser } from '../../config/encoder-config.js';
import type { TrainingConfig } from '../../config/training-config.js';
import { ShortlistError } from '../../domain/errors.js';
import { historyOf } from '../../domain/history.js';
import { toHistories } from '../../domain/interactions.js';
import { createMemoryStore } from '../../features/memory-store.js';
import { createUserReading, type UserEngine } from '../../pipeline/read-user-rows.js';
import {
  ENCODER,
  encoderFilesIn,
  mayKnow,
  openEncoder,
  readEncoderFiles,
  type EncoderFiles,
  type ImportedEncoder,
} from '../training/encoder/imported-encoder.js';
import type { VectorCoverage } from '../training/encoder/match-vectors.js';
import type { EvaluationProtocol } from '../../config/evaluation-protocol.js';
import type { PreparedDataset } from '../data/prepared-dataset.js';
import { readTrainingDataset } from '../data/settle-times.js';
import type { ProgressReporter } from '../progress/progress.js';
import { replaceFolder } from '../data/replace-folder.js';
import { chooseProtocol, chooseTrainingProtocol, type ProtocolNames } from '../protocol/choose-protocol.js';
import { makeTestSplits, makeTrainingSplits } from '../protocol/make-splits.js';
import { findKnownUntil } from '../training/bundle/train-dataset.js';
import { buildUserViews } from '../training/views/user-view.js';

/** Users of the dataset that an encoder is asked for before it is taken. */
const TRIAL_USERS = 50;

/** A golden vector may differ by so much of its largest value. */
const TOLERANCE = 1e-4;

/** Options of `importEncoder`. */
export interface ImportEncoderOptions extends ProtocolNames {
  /** Files of the encoder. */
  readonly files: { readonly model: string; readonly items: string; readonly spec: string };
  /** Where `train` looks for it; an earlier one is replaced. */
  readonly encoderDir: string;
  readonly config: TrainingConfig;
  readonly progress: ProgressReporter;
}

/** The findings of an import. */
export interface ImportEncoderResult {
  readonly coverage: VectorCoverage;
  /** Largest difference from the golden vectors, relative to each; undefined without a golden batch. */
  readonly goldenDifference: number | undefined;
  /** Users that were asked for, and for how many of them something was found. */
  readonly users: { readonly tried: number; readonly answered: number };
  /** That the dataset is judged by. */
  readonly protocol: EvaluationProtocol;
  /** Cuts of the training rows, and how many of them may have its scores, because it learned from nothing after them. */
  readonly cuts: { readonly all: number; readonly withEncoder: number };
  /** Unix seconds; an encoder that was trained until then may be judged under the protocol. */
  readonly testedFrom: number;
  readonly canBeJudged: boolean;
}

/**
 * Takes a two-tower model that was trained elsewhere: checks it against its encoder.yaml and the dataset, compares it with
 * its golden batch, asks it for users of the dataset, and puts it where `train` picks it up. When anything fails, an
 * encoder that was imported earlier stays.
 *
 * @throws ShortlistError INVALID_CONFIG when a file cannot be read or encoder.yaml is wrong; INVALID_BUNDLE saying what
 * does not fit and what to do; INVALID_DATASET when the protocol finds nothing to learn from or to ask
 */
export async function importEncoder(
  preparedDir: string,
  options: ImportEncoderOptions,
): Promise<ImportEncoderResult> {
  const { files, encoderDir, progress } = options;
  const step = progress.start(`checking ${files.model}`);
  const dataset = await readTrainingDataset(preparedDir, { seed: options.config.seed });
  const read = await readEncoderFiles(files, dataset);
  const goldenDifference = await tryGolden(read, dataset);
  const encoder = await openEncoder(read, dataset);
  const users = await askForUsers(encoder, dataset).finally(() => encoder.close());
  const honesty = judgeHonesty(encoder, dataset, options);
  await replaceFolder(encoderDir, async (newDir) => {
    const targets = encoderFilesIn(newDir);
    await copyFile(files.model, targets.model);
    await copyFile(files.items, targets.items);
    await copyFile(files.spec, targets.spec);
  });
  step.finish('fits');
  return { coverage: read.coverage, goldenDifference, users, ...honesty };
}

/** The largest difference from what the model gave where it was trained. */
async function tryGolden(
  { config, model, ids, vectors }: EncoderFiles,
  dataset: PreparedDataset,
): Promise<number | undefined> {
  if (config.golden === undefined) return undefined;
  const views = buildUserViews(dataset, { knownUntil: dataset.window.to }).map(({ view }) => view);
  const { dimensions, vocabulary } = vectors;
  const columns = createUserColumns(config.userFeatures?.fields ?? [], views).count;
  const takesTimes = config.historyTimes !== undefined;
  const problems = config.golden.flatMap(({ history, times = [], features = [], vector }, index) => [
    ...(takesTimes && times.length !== history.length
      ? [`golden.${index}.times: ${times.length} times for ${history.length} items of the history`]
      : []),
    ...history
      .filter((id) => ids.find(id) < 0)
      .map((id) => `golden.${index}.history: there is no vector of item ${JSON.stringify(id)}`),
    ...(features.length === columns
      ? []
      : [`golden.${index}.features: ${features.length} values for ${columns} columns`]),
    ...(vector.length === dimensions
      ? []
      : [`golden.${index}.vector: ${vector.length} values, the vectors of items have ${dimensions}`]),
  ]);
  if (problems.length > 0) {
    throw new ShortlistError('INVALID_CONFIG', 'The golden batch cannot be used:', { problems });
  }
  const tower = await openUserTower(model, config, { dimensions, vocabulary, columns, name: ENCODER });
  try {
    return await compareGolden(config.golden, { tower, ids, vocabulary });
  } finally {
    await tower.close();
  }
}

async function compareGolden(
  golden: readonly GoldenUser[],
  { tower, ids, vocabulary }: { tower: UserTower; ids: EncoderFiles['ids']; vocabulary: number },
): Promise<number> {
  let largest = 0;
  for (const [index, { history, times = [], now, features = [], vector: expected }] of golden.entries()) {
    const all = Int32Array.from(history, (id) => ids.find(id));
    const vector = await tower.encode({
      history: all.filter((row) => row < vocabulary),
      times: Float64Array.from(times).filter((_, at) => all[at]! < vocabulary),
      now,
      features: Float32Array.from(features),
    });
    const size = Math.max(...expected.map(Math.abs), Number.MIN_VALUE);
    const differences = expected.map((value, at) => Math.abs(vector[at]! - value) / size);
    const difference = Math.max(...differences);
    if (difference > TOLERANCE) {
      const at = differences.indexOf(difference);
      throw new ShortlistError(
        'INVALID_BUNDLE',
        `The model gives golden user ${index + 1} ${vector[at]} at place ${at + 1}, not ${expected[at]}: check order, ` +
          'padSide, padding and firstItem of the history, unit and padding of its times, the columns of the features, and the conversion.',
      );
    }
    largest = Math.max(largest, difference);
  }
  return largest;
}

/** Real histories and features are not those that a tower is tried on when it is opened. */
async function askForUsers(
  { source }: ImportedEncoder,
  dataset: PreparedDataset,
): Promise<ImportEncoderResult['users']> {
  const { window, catalogue, users, interactions } = dataset;
  const histories = toHistories(interactions);
  const engine: UserEngine = {
    userStores: buildUserViews(dataset, { knownUntil: window.to }).map(createMemoryStore),
    clock: () => window.to,
  };
  const eligible = new Uint8Array(catalogue.entities.size).fill(1);
  const step = Math.max(1, Math.floor(users.entities.size / TRIAL_USERS));
  const answers = { tried: 0, answered: 0 };
  const distinct = new Set<string>();
  for (let user = 0; user < users.entities.size; user += step) {
    const userId = users.entities.idAt(user);
    const { values: readUserValues } = createUserReading({ userId }, engine);
    const history = historyOf(histories, user);
    try {
      const found = await source.retrieve({
        userId,
        userIndex: user,
        history,
        now: window.to,
        eligible,
        limit: 10,
        readUserValues,
      });
      answers.tried++;
      if (found.items.length === 0) continue;
      answers.answered++;
      distinct.add(`${found.items.join()} ${found.scores.join()}`);
    } catch (cause) {
      throw new ShortlistError(
        'INVALID_BUNDLE',
        `The model cannot encode user ${userId}: ${(cause as Error).message} Make it give finite values for every history and ` +
          'every value that the features have; history.vocabulary says how many items it knows, where that is not all.',
        { cause },
      );
    }
  }
  refuseConstant(answers, distinct.size);
  return answers;
}

/** Fewer users may well be alike. */
const LEAST_DISTINCT_OF = 10;

function refuseConstant({ answered }: ImportEncoderResult['users'], distinct: number): void {
  if (answered < LEAST_DISTINCT_OF || distinct > 1) return;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `The model gives ${answered} users of the dataset the same items with the same scores: its vector does not depend on who is ` +
      'asked for. Check that encoder.yaml names the output of the user tower, and that the export keeps its inputs.',
  );
}

/** Where the encoder may not be asked, because it may know the answers. */
function judgeHonesty(
  encoder: ImportedEncoder,
  { interactions }: PreparedDataset,
  { config, ...options }: ImportEncoderOptions,
): Pick<ImportEncoderResult, 'protocol' | 'cuts' | 'testedFrom' | 'canBeJudged'> {
  const known = { train: interactions, knownUntil: findKnownUntil(interactions) };
  const cuts = { all: 0, withEncoder: 0 };
  const protocol = chooseProtocol(options, interactions.times);
  const trainingProtocol = chooseTrainingProtocol(config, { protocol, times: interactions.times });
  for (const split of makeTrainingSplits(known, trainingProtocol, config)) {
    cuts.all++;
    if (!mayKnow(encoder, split)) cuts.withEncoder++;
  }
  const [first] = makeTestSplits(interactions, protocol, config);
  return { protocol, cuts, testedFrom: first!.testedFrom, canBeJudged: !mayKnow(encoder, first!) };
}
