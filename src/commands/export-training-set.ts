import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { EvaluationProtocol } from '../config/evaluation-protocol.js';
import type { TrainingSetFacts } from '../offline/training/training-set/export-training-set.js';
import type { ExportedRows } from '../offline/training/training-set/features-file.js';
import type { CommandContext } from './command-context.js';
import {
  addDatasetOptions,
  createIgnoreTimesOption,
  createProtocolOption,
  findDataset,
  refuseIdleProtocol,
  type DatasetOptions,
} from './dataset-options.js';
import { importOffline } from './import-offline.js';
import { readTrainingInputs } from './training-inputs.js';

interface ExportOptions extends DatasetOptions {
  readonly out?: string;
  readonly protocol?: EvaluationProtocol;
  readonly ignoreTimes?: true;
  readonly rows: ExportedRows;
}

/** The command `shortlist export-training-set`. */
export function createExportTrainingSetCommand(context: CommandContext): Command {
  return addDatasetOptions(
    new Command('export-training-set').description(
      "Write the ranker's training rows as parquet, and features.yaml beside them, to train a ranker elsewhere.",
    ),
  )
    .option('-o, --out <file>', 'where to (default: training-sets/<dataset>/rows.parquet in the data folder)')
    .addOption(createProtocolOption())
    .addOption(createIgnoreTimesOption())
    .addOption(
      new Option(
        '--rows <which>',
        'train: the rows that `train` trains on; evaluate: those before the test part of the protocol, and its test rows',
      )
        .choices(['train', 'evaluate'])
        .default('train'),
    )
    .action(async (options: ExportOptions, command: Command) => {
      const { dataset, preparedDir, encoderDir } = findDataset(options, context);
      const file = options.out ?? join(options.data, 'training-sets', dataset.name, 'rows.parquet');
      const inputs = await readTrainingInputs(context);
      if (options.rows === 'train')
        refuseIdleProtocol(options, { ...inputs, command, what: 'the rows of --rows train' });
      const { exportTrainingSet } = await importOffline(
        () => import('../offline/training/training-set/export-training-set.js'),
      );
      const facts = await exportTrainingSet(preparedDir, file, {
        ...inputs,
        protocol: options.protocol,
        datasetProtocol: dataset.evaluation?.protocol,
        ignoreTimes: options.ignoreTimes,
        rows: options.rows,
        encoderDir,
        progress: await context.openProgress(),
      });
      context.print(describeExport(facts, file));
      context.print(
        `Next: train a model on them, then shortlist import-ranker model.onnx --features ${facts.featuresFile} ` +
          `--dataset ${options.dataset}`,
      );
    });
}

function describeExport(
  { features, queries, rows, trainingProtocol, featuresFile }: TrainingSetFacts,
  file: string,
): string {
  const parts = (['train', 'validation', 'test'] as const)
    .filter((part) => queries[part] > 0)
    .map(
      (part) =>
        `${part} ${rows[part].toLocaleString('en')} rows of ${queries[part].toLocaleString('en')} queries`,
    );
  return `Wrote ${file} (split by ${trainingProtocol}: ${parts.join(', ')}; ${features} features, named in ${featuresFile}).`;
}
