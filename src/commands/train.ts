import { Command } from 'commander';
import type { EvaluationProtocol } from '../offline/evaluation/evaluation-result.js';
import type { CommandContext } from './command-context.js';
import {
  addDatasetOptions,
  createProtocolOption,
  findDataset,
  type DatasetOptions,
} from './dataset-options.js';
import { importOffline } from './import-offline.js';
import { readTrainingInputs } from './training-inputs.js';

export function createTrainCommand(context: CommandContext): Command {
  return addDatasetOptions(
    new Command('train').description('Train the candidate sources and the ranker on a prepared dataset.'),
  )
    .addOption(createProtocolOption())
    .action(async (options: DatasetOptions & { protocol?: EvaluationProtocol }) => {
      const { dataset, preparedDir, trainedDir, encoderDir } = findDataset(options, context);
      const { trainDataset } = await importOffline(() => import('../offline/train/train-dataset.js'));
      const manifest = await trainDataset(preparedDir, trainedDir, {
        ...(await readTrainingInputs(context)),
        protocol: options.protocol ?? dataset.evaluation.protocol,
        encoderDir,
        progress: await context.openProgress(),
      });
      const { objective, trees } = manifest.ranker;
      context.print(
        `Trained ${manifest.version} (${objective}, ${trees} trees) in ${trainedDir}. ` +
          `Next: shortlist evaluate --dataset ${options.dataset}`,
      );
    });
}
