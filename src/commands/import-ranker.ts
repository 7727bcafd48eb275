import { dirname, join } from 'node:path';
import { Command, Option } from 'commander';
import { exists } from '../bundle/durable-files.js';
import type { ImportResult } from '../offline/exchange/import-ranker.js';
import type { RowsOfRun } from '../ranking/onnx-ranker.js';
import type { CommandContext } from './command-context.js';
import { addDatasetOptions, findDataset, type DatasetOptions } from './dataset-options.js';
import { importOffline } from './import-offline.js';
import { readTrainingInputs } from './training-inputs.js';

interface ImportRankerOptions extends DatasetOptions {
  readonly features: string;
  readonly golden?: string;
  readonly output?: string;
  readonly labels?: string;
  readonly rows?: RowsOfRun;
}

/** The command `shortlist import-ranker`. */
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
    .option('--output <name>', 'the output that gives the scores, where several could')
    .option(
      '--labels <file>',
      'exported training rows, whose labels show whether a larger score is better (default: rows.parquet beside the features ' +
        'file, or where export-training-set puts it)',
    )
    .addOption(
      new Option(
        '--rows <how>',
        'independent: each row has a score of its own (default); together: the model looks at all candidates of a request, and ' +
          'has a run for each',
      ).choices(['independent', 'together']),
    )
    .action(
      async (model: string, { features, golden, output, labels, rows, ...options }: ImportRankerOptions) => {
        const { dataset, trainedDir } = findDataset(options, context);
        const { importRanker } = await importOffline(() => import('../offline/exchange/import-ranker.js'));
        const { readFeaturesFile } = await importOffline(
          () => import('../offline/training/training-set/features-file.js'),
        );
        const { readGoldenBatch } = await importOffline(
          () => import('../offline/training/training-set/read-golden-batch.js'),
        );
        const contract = readFeaturesFile(features);
        const exported = join(options.data, 'training-sets', dataset.name, ROWS_FILE);
        const found = await importRanker(trainedDir, model, {
          ...(await readTrainingInputs(context)),
          features: contract,
          golden: golden === undefined ? contract.golden : await readGoldenBatch(golden, contract.features),
          output,
          labels: labels ?? (await findFirst([join(dirname(features), ROWS_FILE), exported])),
          rows,
          progress: await context.openProgress(),
        });
        context.print(
          `Imported ${model} as the ranker of ${found.manifest.version} in ${trainedDir} (${describeFindings(found)}). ` +
            `Next: shortlist evaluate --dataset ${options.dataset}`,
        );
      },
    );
}

/** What `export-training-set` writes beside the features file. */
const ROWS_FILE = 'rows.parquet';

async function findFirst(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) if (await exists(file)) return file;
  return undefined;
}

function describeFindings({ goldenDifference, pairAccuracy, correlation, cutOff }: ImportResult): string {
  const golden =
    goldenDifference === undefined
      ? 'there was no golden batch to compare with'
      : `golden batch within ${goldenDifference.toExponential(1)}`;
  return [
    golden,
    describeDirection(pairAccuracy, correlation),
    ...cutOff.map((end) => `cut off: ${end}`),
  ].join('; ');
}

function describeDirection(
  pairAccuracy: ImportResult['pairAccuracy'],
  correlation: ImportResult['correlation'],
): string {
  if (pairAccuracy !== undefined) {
    const share = (100 * pairAccuracy.mean).toFixed(1);
    return `what was taken is above what was not in ${share} % of the pairs of ${pairAccuracy.queries} exported queries`;
  }
  const compared =
    correlation === undefined
      ? ''
      : `, rank correlation ${correlation.toFixed(2)} with the ranking before it`;
  return `there were no exported rows to judge it by (--labels)${compared}`;
}
