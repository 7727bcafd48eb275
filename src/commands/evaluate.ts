import { Command, Option } from 'commander';
import { exists } from '../bundle/durable-files.js';
import type { EvaluationProtocol } from '../config/evaluation-protocol.js';
import type { TrainedEvaluationOptions, WrittenEvaluation } from '../offline/evaluation/evaluate-trained.js';
import type { EvaluationResult } from '../offline/evaluation/evaluation-result.js';
import { renderEvaluationTable, renderSegmentTables } from '../offline/evaluation/evaluation-table.js';
import { renderReplayTable } from '../offline/evaluation/replay/replay-table.js';
import type { CommandContext } from './command-context.js';
import {
  addDatasetOptions,
  createIgnoreTimesOption,
  createProtocolOption,
  findDataset,
  type DatasetFolders,
  type DatasetOptions,
} from './dataset-options.js';
import { importOffline } from './import-offline.js';
import { parseCount } from './parse-count.js';
import { readTrainingInputs } from './training-inputs.js';

interface EvaluateOptions extends DatasetOptions {
  readonly protocol?: EvaluationProtocol;
  readonly split?: string;
  readonly k?: number;
  readonly ignoreTimes?: true;
  readonly out?: string;
  readonly segments?: true;
  readonly ablation?: true;
  readonly scenarios?: true;
  readonly replay?: true;
  readonly replayUsers: number;
  readonly replayEvents: number;
}

/** The command `shortlist evaluate`. */
export function createEvaluateCommand(context: CommandContext): Command {
  const command = new Command('evaluate').description(
    'Ask held-out users through the serving pipeline, print the table, and put metrics and a report into the trained bundle; into a folder of their own where nothing is trained.',
  );
  for (const option of createOptions()) command.addOption(option);
  return addDatasetOptions(command).action(async (options: EvaluateOptions, command: Command) => {
    refuseIdleOptions(options, command);
    const folders = findDataset(options, context);
    const { placements, ...inputs } = await readTrainingInputs(context);
    const written = await evaluate(folders, options, {
      ...inputs,
      ...(options.scenarios && { placements }),
      protocol: options.protocol,
      datasetProtocol: folders.dataset.evaluation?.protocol,
      frozenSplit: options.split,
      k: options.k,
      ignoreTimes: options.ignoreTimes,
      ablation: options.ablation,
      ...(options.replay && { replay: { users: options.replayUsers, events: options.replayEvents } }),
      progress: await context.openProgress(),
      command: context.commandLine,
      show: (result) => printResult(result, options, context),
    });
    context.print(describeWritten(written, options));
  });
}

function createOptions(): Option[] {
  return [
    createProtocolOption(),
    new Option(
      '--split <file>',
      'a frozen split in place of a protocol: a TSV of user and item ids; all rows of each pair are held out',
    ),
    new Option(
      '--k <count>',
      'length of the lists that are judged (default: evaluation.k of training.yaml)',
    ).argParser(parseCount({ from: 1 })),
    createIgnoreTimesOption(),
    new Option(
      '-o, --out <folder>',
      'where metrics, report and figures of queries go, in place of the trained bundle, which is then not needed; trains in full (default without one: evaluations/<dataset> in the data folder)',
    ),
    new Option('--segments', 'print the figures by groups of users and items as well'),
    new Option(
      '--ablation',
      'train the ranker again without each group of features, and print what that costs',
    ),
    new Option(
      '--scenarios',
      'ask the other scenarios of configs too, each with and without the rules that change its order',
    ),
    new Option(
      '--replay',
      'walk held-out users through what they did, pushing their events, and print what knowing those is worth',
    ),
    new Option('--replay-users <count>', 'users that are walked at most, of each split')
      .argParser(parseCount({ from: 1 }))
      .default(1000),
    new Option('--replay-events <count>', 'events that each is walked through at most')
      .argParser(parseCount({ from: 1, to: 200 }))
      .default(20),
  ];
}

/** Options that others make idle: who gives them means something else than what would happen. */
function refuseIdleOptions(options: EvaluateOptions, command: Command): void {
  const refuse = (message: string): never => command.error(`error: ${message}`, { exitCode: 2 });
  if (options.split !== undefined && options.protocol !== undefined)
    refuse(
      `--split says what is held out, so --protocol ${options.protocol} would not: leave one of them out. Which rows train the ranker ` +
        'is ranker.trainingProtocol of training.yaml.',
    );
  if (options.replay === true) return;
  const idle = (['replayUsers', 'replayEvents'] as const).find(
    (name) => command.getOptionValueSource(name) === 'cli',
  );
  if (idle !== undefined)
    refuse(
      `${idle === 'replayUsers' ? '--replay-users' : '--replay-events'} is a limit of --replay: give that too, or leave it out.`,
    );
}

async function evaluate(
  { preparedDir, trainedDir, encoderDir, evaluationDir }: DatasetFolders,
  { out }: EvaluateOptions,
  evaluation: TrainedEvaluationOptions,
): Promise<WrittenEvaluation> {
  const { evaluateTrained, evaluateUntrained } = await importOffline(
    () => import('../offline/evaluation/evaluate-trained.js'),
  );
  if (out === undefined && (await exists(trainedDir)))
    return evaluateTrained(preparedDir, trainedDir, evaluation);
  return evaluateUntrained(preparedDir, out ?? evaluationDir, { ...evaluation, encoderDir });
}

function printResult(result: EvaluationResult, options: EvaluateOptions, context: CommandContext): void {
  context.print(renderEvaluationTable(result));
  if (options.segments === true) context.print(`\n${renderSegmentTables(result)}\n`);
  if (result.replay !== undefined) context.print(`\n${renderReplayTable(result.replay, result.k)}\n`);
}

function describeWritten({ report, bundle }: WrittenEvaluation, { dataset }: EvaluateOptions): string {
  if (bundle === undefined)
    return `The report is ${report}; no bundle has it. Next: shortlist train --dataset ${dataset}`;
  const { version, before } = bundle;
  return (
    `The report is ${report}. With it the bundle is ${version}, before ${before}. ` +
    `Next: shortlist publish --dataset ${dataset}`
  );
}
