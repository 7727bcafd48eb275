import { join } from 'node:path';
import { Command } from 'commander';
import type { MoveOptions } from '../bundle/bundle-registry.js';
import { loadSettings } from '../config/load-settings.js';
import { readScenarioFiles } from '../config/scenario-config.js';
import { checkAgainstBundle } from './check-against-bundle.js';
import type { CommandContext } from './command-context.js';
import { createDatasetChangeOption } from './dataset-change-option.js';
import { addDatasetOptions, findDataset, type DatasetOptions } from './dataset-options.js';
import { findTrainedOrigin } from './latest-train.js';
import { openRegistry } from './open-registry.js';

/** The command `shortlist publish`. */
export function createPublishCommand(context: CommandContext): Command {
  return addDatasetOptions(
    new Command('publish').description(
      'Put a trained bundle into the registry and point the candidate channel at it.',
    ),
  )
    .addOption(createDatasetChangeOption())
    .option(
      '--allow-earlier-train',
      'publish the bundle that is there although a later `shortlist train` failed, or has not ended',
    )
    .action(async (options: DatasetOptions & MoveOptions & { allowEarlierTrain?: true }) => {
      const { allowDatasetChange, allowEarlierTrain = false } = options;
      const folders = findDataset(options, context);
      const { bundle } = loadSettings(context);
      const registry = await openRegistry(bundle, context);
      const { says, warning } = await findTrainedOrigin(folders, { allowEarlier: allowEarlierTrain });
      context.print(says);
      if (warning !== undefined) context.printError(warning);
      const version = await registry.publish(folders.trainedDir, {
        channel: 'candidate',
        allowDatasetChange,
      });
      for (const problem of await listRefusals(folders.trainedDir, context))
        context.printError(
          `warning: a server with the scenarios of ${context.configsDir} refuses it: ${problem}`,
        );
      context.print(
        `Published ${version} to ${bundle.registry}; candidate points at it. Next: shortlist serve`,
      );
    });
}

/** Why a server that reads these configs would not open the bundle; nothing where the configs are wrong by themselves, which it says. */
async function listRefusals(folder: string, { configsDir }: CommandContext): Promise<readonly string[]> {
  const { scenarios, problems } = readScenarioFiles(join(configsDir, 'scenarios'));
  return problems.length > 0 ? [] : (await checkAgainstBundle(folder, scenarios)).problems;
}
