import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { readDatasetConfig, type DatasetConfig } from '../config/dataset-config.js';
import { EVALUATION_PROTOCOLS, type EvaluationProtocol } from '../config/evaluation-protocol.js';
import type { TrainingConfig } from '../config/training-config.js';
import type { CommandContext } from './command-context.js';

/** The values of `--dataset` and `--data`. */
export interface DatasetOptions {
  readonly dataset: string;
  readonly data: string;
}

/** A dataset and the folders that its commands hand each other. */
export interface DatasetFolders {
  readonly dataset: DatasetConfig;
  readonly preparedDir: string;
  readonly trainedDir: string;
  /** Of an imported encoder; there need not be one. */
  readonly encoderDir: string;
  /** Of an evaluation that is in no bundle. */
  readonly evaluationDir: string;
  /** Trials of the searches for training parameters. */
  readonly searchesDir: string;
}

/** Adds `--dataset` and `--data` to a command. */
export function addDatasetOptions(command: Command): Command {
  return command
    .option('-d, --dataset <name>', 'name of a config in configs/datasets, or a file', 'demo')
    .option('--data <folder>', 'folder for what the commands hand each other', 'data');
}

/** `--protocol`, the dataset's own when not said. */
export function createProtocolOption(): Option {
  return new Option(
    '-p, --protocol <name>',
    'how the rows that judge are split (default: what the dataset config says, else by its times)',
  ).choices(EVALUATION_PROTOCOLS);
}

/** `--ignore-times`. */
export function createIgnoreTimesOption(): Option {
  return new Option('--ignore-times', 'take the dataset as one without times: nothing reads order or age');
}

/**
 * Refuses a protocol that would change nothing: that of the rows to train on is in the config.
 * @param what it was asked for
 * @throws CommanderError with exit code 2
 */
export function refuseIdleProtocol(
  { protocol }: { protocol?: EvaluationProtocol },
  { config: { ranker }, command, what }: { config: TrainingConfig; command: Command; what: string },
): void {
  const { trainingProtocol = 'auto' } = ranker;
  if (protocol === undefined || trainingProtocol === 'auto') return;
  command.error(
    `error: --protocol ${protocol} changes nothing of ${what}: ranker.trainingProtocol of training.yaml is ${trainingProtocol}. ` +
      'Leave --protocol out, or change that.',
    { exitCode: 2 },
  );
}

/** @throws ShortlistError INVALID_CONFIG when there is no such dataset or its config is wrong */
export function findDataset(
  options: DatasetOptions & { path?: string },
  context: CommandContext,
): DatasetFolders {
  const { path } = options;
  const dataset = readDatasetConfig(options.dataset, {
    configsDir: context.configsDir,
    ...(path !== undefined && { path }),
  });
  return {
    dataset,
    preparedDir: join(options.data, 'prepared', dataset.name),
    trainedDir: join(options.data, 'trained', dataset.name),
    encoderDir: join(options.data, 'encoders', dataset.name),
    evaluationDir: join(options.data, 'evaluations', dataset.name),
    searchesDir: join(options.data, 'searches', dataset.name),
  };
}
