import { Command, Option } from 'commander';
import type { EvaluationProtocol } from '../config/evaluation-protocol.js';
import { renderEvaluationTable, renderSegmentTables } from '../offline/evaluation/evaluation-table.js';
import { renderReplayTable } from '../offline/evaluation/replay/replay-table.js';
import type { CommandContext } from './command-context.js';
import {
  addDatasetOptions,
  createProtocolOption,
  findDataset,
  type DatasetOptions,
} from './dataset-options.js';
import { importOffline } from './import-offline.js';
import { parseCount } from './parse-count.js';
import { readTrainingInputs } from './training-inputs.js';

interface EvaluateOptions extends DatasetOptions {
  readonly protocol?: EvaluationProtocol;
  readonly split?: string;
  readonly segments?: true;
  readonly ablation?: true;
  readonly scenarios?: true;
  readonly replay?: true;
  readonly replayUsers: number;
  readonly replayEvents: number;
}

/** The command `shortlist evaluate`. */
export function createEvaluateCommand(context: CommandContext): Command {
  return addDatasetOptions(
    new Command('evaluate').description(
      'Ask held-out users through the serving pipeline, print the table, and put metrics and a report into the trained bundle.',
    ),
  )
    .addOption(createProtocolOption())
    .option('--split <file>', 'a frozen split: a TSV of the held-out user and item ids (protocol random)')
    .option('--segments', 'print the figures by groups of users and items as well')
    .option('--ablation', 'train the ranker again without each group of features, and print what that costs')
    .option(
      '--scenarios',
      'ask the other scenarios of configs too, each with and without the rules that change its order',
    )
    .option(
      '--replay',
      'walk held-out users through what they did, pushing their events, and print what knowing those is worth',
    )
    .addOption(
      new Option('--replay-users <count>', 'users that are walked at most, of each split')
        .argParser(parseCount({ from: 1 }))
        .default(1000),
    )
    .addOption(
      new Option('--replay-events <count>', 'events that each is walked through at most')
        .argParser(parseCount({ from: 1, to: 200 }))
        .default(20),
    )
    .action(async (options: EvaluateOptions) => {
      const { dataset, preparedDir, trainedDir } = findDataset(options, context);
      const { evaluateTrained } = await importOffline(
        () => import('../offline/evaluation/evaluate-trained.js'),
      );
      const { placements, ...inputs } = await readTrainingInputs(context);
      const { report, version, before } = await evaluateTrained(preparedDir, trainedDir, {
        ...inputs,
        ...(options.scenarios && { placements }),
        protocol: options.split === undefined ? (options.protocol ?? dataset.evaluation.protocol) : 'random',
        frozenSplit: options.split,
        ablation: options.ablation,
        ...(options.replay && { replay: { users: options.replayUsers, events: options.replayEvents } }),
        progress: await context.openProgress(),
        command: context.commandLine,
        show: (result) => {
          context.print(renderEvaluationTable(result));
          if (options.segments === true) context.print(`\n${renderSegmentTables(result)}\n`);
          if (result.replay !== undefined) context.print(`\n${renderReplayTable(result.replay, result.k)}\n`);
        },
      });
      context.print(
        `The report is ${report}. With it the bundle is ${version}, before ${before}. ` +
          `Next: shortlist publish --dataset ${options.dataset}`,
      );
    });
}
