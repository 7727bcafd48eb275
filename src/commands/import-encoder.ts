import { Command } from 'commander';
import type { ImportEncoderResult } from '../offline/exchange/import-encoder.js';
import type { CommandContext } from './command-context.js';
import { addDatasetOptions, findDataset, type DatasetOptions } from './dataset-options.js';
import { importOffline } from './import-offline.js';
import { readTrainingInputs } from './training-inputs.js';

interface ImportEncoderOptions extends DatasetOptions {
  readonly items: string;
  readonly spec: string;
}

/** The command `shortlist import-encoder`. */
export function createImportEncoderCommand(context: CommandContext): Command {
  return addDatasetOptions(
    new Command('import-encoder').description(
      'Check a two-tower model that was trained elsewhere, and keep it for `train` as candidate source onnx-encoder.',
    ),
  )
    .argument('<model>', 'ONNX file: the user tower, from a history and user features to a vector')
    .requiredOption('--items <file>', 'parquet: `item_id`, and `vector`, a list of numbers')
    .requiredOption(
      '--spec <file>',
      'encoder.yaml: what the inputs of the model take, and what it learned from',
    )
    .action(async (model: string, { items, spec, ...options }: ImportEncoderOptions) => {
      const { dataset, preparedDir, encoderDir } = findDataset(options, context);
      const { importEncoder } = await importOffline(() => import('../offline/exchange/import-encoder.js'));
      const { config, scenario } = await readTrainingInputs(context);
      const result = await importEncoder(preparedDir, {
        files: { model, items, spec },
        encoderDir,
        config,
        datasetProtocol: dataset.evaluation?.protocol,
        progress: await context.openProgress(),
      });
      context.print(`Imported ${model} into ${encoderDir} (${describeFit(result)}).`);
      context.print(describeHonesty(result));
      if (!('onnx-encoder' in scenario.sources)) {
        context.print(`Scenario ${scenario.name} does not ask it yet: list onnx-encoder under its sources.`);
      }
      context.print(`Next: shortlist train --dataset ${options.dataset}`);
    });
}

function describeFit({ coverage, goldenDifference, users }: ImportEncoderResult): string {
  const { items, itemsWithout, unknownVectors } = coverage;
  const without =
    itemsWithout === 0
      ? ''
      : `, ${itemsWithout.toLocaleString('en')} have none and are never retrieved by it`;
  const unknown =
    unknownVectors === 0
      ? ''
      : `; ${unknownVectors.toLocaleString('en')} vectors of items that the catalogue does not have are left out`;
  const golden =
    goldenDifference === undefined
      ? 'there was no golden batch to compare with'
      : `golden batch within ${goldenDifference.toExponential(1)}`;
  return (
    `${items.toLocaleString('en')} items of the catalogue have a vector${without}${unknown}; ` +
    `${users.answered} of ${users.tried} users get candidates; ${golden}`
  );
}

/** What it learned from says where it may be asked. */
function describeHonesty({ protocol, cuts, testedFrom, canBeJudged }: ImportEncoderResult): string {
  const learns = `The ranker will learn from its scores in ${cuts.withEncoder} of ${cuts.all} training cuts`;
  if (canBeJudged) return `${learns}.`;
  const before = new Date(1000 * testedFrom).toISOString().replace(/\.\d+Z$/, 'Z');
  return (
    `${learns}; \`evaluate\` will refuse to judge it under protocol ${protocol}, which asks for what users did from ` +
    `${before} on: train it on what came before, and say so in trainedUntil.`
  );
}
