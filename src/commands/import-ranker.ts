import { Command } from 'commander';
import type { CommandContext } from './command-context.js';
import { addDatasetOptions, findDataset, type DatasetOptions } from './dataset-options.js';
import { importOffline } from './import-offline.js';
import { readTrainingInputs } from './training-inputs.js';

interface ImportRankerOptions extends DatasetOptions {
  readonly features: string;
  readonly golden?: string;
  readonly output?: string;
}

export function createImportRankerCommand(context: CommandContext): Command {
  return addDatasetOptions(
    new Command('import-ranker').description(
      'Check an ONNX model that was trained elsewhere, and put it into the trained bundle in the place of its ranker.',
    ),
  )
    .argument('<model>', 'ONNX file: one float32 input [rows × features], one score per row')
    .requiredOption(
      '--features <file>',
      'features.yaml: the features by input column, as `export-training-set` writes it',
    )
    .option('--golden <file>', 'parquet: rows of features, and `score`, what the model gave them elsewhere')
    .option('--output <name>', 'the output that gives the scores, where the model has several')
    .action(async (model: string, { features, golden, output, ...options }: ImportRankerOptions) => {
      const { trainedDir } = findDataset(options, context);
      const { importRanker } = await importOffline(() => import('../offline/import-ranker.js'));
      const { readFeaturesFile } = await importOffline(
        () => import('../offline/training-set/features-file.js'),
      );
      const { readGoldenBatch } = await importOffline(
        () => import('../offline/training-set/read-golden-batch.js'),
      );
      const contract = readFeaturesFile(features);
      const { manifest, goldenDifference } = await importRanker(trainedDir, model, {
        ...(await readTrainingInputs(context)),
        features: contract,
        golden: golden === undefined ? contract.golden : await readGoldenBatch(golden, contract.features),
        output,
        progress: await context.openProgress(),
      });
      const compared =
        goldenDifference === undefined
          ? 'there was no golden batch to compare with'
          : `golden batch within ${goldenDifference.toExponential(1)}`;
      context.print(
        `Imported ${model} as the ranker of ${manifest.version} in ${trainedDir} (${compared}). ` +
          `Next: shortlist evaluate --dataset ${options.dataset}`,
      );
    });
}
