import { Command, InvalidArgumentError, Option } from 'commander';
import { ALLOWED_DURATION, durationSeconds, isDuration } from '../config/duration.js';
import { applyProfile, TRAINING_PROFILES, type TrainingProfile } from '../config/training-profile.js';
import type { EvaluationProtocol } from '../config/evaluation-protocol.js';
import type { DatasetTrainingOptions } from '../offline/training/bundle/train-dataset.js';
import type { Manifest } from '../bundle/manifest.js';
import type { SearchLimits } from '../offline/training/tuning/search-parameters.js';
import type { CommandContext } from './command-context.js';
import {
  addDatasetOptions,
  createIgnoreTimesOption,
  createProtocolOption,
  findDataset,
  refuseIdleProtocol,
  type DatasetFolders,
  type DatasetOptions,
} from './dataset-options.js';
import { importOffline } from './import-offline.js';
import { noteTrain } from './latest-train.js';
import { parseCount } from './parse-count.js';
import { readTrainingInputs } from './training-inputs.js';

interface TrainCommandOptions extends DatasetOptions {
  readonly protocol?: EvaluationProtocol;
  readonly ignoreTimes?: true;
  readonly profile: TrainingProfile;
  readonly budget?: number;
  readonly trials?: number;
}

type CommandTrainingOptions = Omit<DatasetTrainingOptions, 'encoderDir'>;

/** The command `shortlist train`. */
export function createTrainCommand(context: CommandContext): Command {
  return addDatasetOptions(
    new Command('train').description('Train the candidate sources and the ranker on a prepared dataset.'),
  )
    .addOption(createProtocolOption())
    .addOption(createIgnoreTimesOption())
    .addOption(createProfileOption())
    .addOption(
      new Option(
        '--budget <time>',
        'search for better training parameters first, for so long: 10m',
      ).argParser(parseBudgetMs),
    )
    .addOption(
      new Option(
        '--trials <count>',
        'search for better training parameters first, with so many trials in all',
      ).argParser(parseCount({ from: 1 })),
    )
    .action(async ({ budget, trials, profile, ...options }: TrainCommandOptions, command: Command) => {
      const folders = findDataset(options, context);
      const isSearched = budget !== undefined || trials !== undefined;
      // What is wrong with the configs is told, and noted, by the training itself.
      const config = await readTrainingInputs(context).then(
        (inputs) => inputs.config,
        () => undefined,
      );
      if (!isSearched && config !== undefined)
        refuseIdleProtocol(options, { config, command, what: 'a training without a search' });
      const manifest = await noteTrain(folders, context.now(), async () => {
        const inputs = await readTrainingInputs(context);
        const training = {
          ...inputs,
          config: applyProfile(inputs.config, profile),
          profile,
          protocol: options.protocol,
          datasetProtocol: folders.dataset.evaluation?.protocol,
          ignoreTimes: options.ignoreTimes,
          progress: await context.openProgress(),
        };
        return isSearched
          ? trainSearched(folders, training, { limits: { budgetMs: budget, maxTrials: trials }, context })
          : trainAsConfigured(folders, training);
      });
      const { objective, trees } = manifest.ranker;
      const how = profile === 'quick' ? ' with --profile quick, to try things' : '';
      context.print(
        `Trained ${manifest.version} (${objective}, ${trees} trees) in ${folders.trainedDir}${how}. ` +
          `Next: shortlist evaluate --dataset ${options.dataset}`,
      );
    });
}

/** A search tries numbers of the config: those of a profile are no config. */
function createProfileOption(): Option {
  return new Option(
    '--profile <profile>',
    'quick: fewer cuts and trees, in less than half of the time; promote refuses such a bundle',
  )
    .choices(TRAINING_PROFILES)
    .default('full')
    .conflicts(['budget', 'trials']);
}

async function trainAsConfigured(
  { preparedDir, trainedDir, encoderDir }: DatasetFolders,
  training: CommandTrainingOptions,
): Promise<Manifest> {
  const { trainDataset } = await importOffline(() => import('../offline/training/bundle/train-dataset.js'));
  return trainDataset(preparedDir, trainedDir, { ...training, encoderDir });
}

async function trainSearched(
  { preparedDir, trainedDir, encoderDir, searchesDir }: DatasetFolders,
  training: CommandTrainingOptions,
  { limits, context }: { limits: SearchLimits; context: CommandContext },
): Promise<Manifest> {
  const { trainTuned } = await importOffline(() => import('../offline/training/tuning/train-tuned.js'));
  const { describeSearch } = await importOffline(
    () => import('../offline/training/tuning/describe-search.js'),
  );
  const { manifest, search } = await trainTuned(preparedDir, trainedDir, {
    ...training,
    limits,
    encoderDir,
    searchesDir,
  });
  context.print(`Search: ${describeSearch(search)}`);
  return manifest;
}

function parseBudgetMs(text: string): number {
  if (isDuration(text)) return 1000 * durationSeconds(text);
  throw new InvalidArgumentError(`Give ${ALLOWED_DURATION}.`);
}
