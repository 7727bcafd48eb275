import { Command } from 'commander';
import type { MoveOptions } from '../bundle/bundle-registry.js';
import { loadSettings } from '../config/load-settings.js';
import type { CommandContext } from './command-context.js';
import { createDatasetChangeOption } from './dataset-change-option.js';
import { openRegistry } from './open-registry.js';
import { addDatasetOptions, findDataset, type DatasetOptions } from './dataset-options.js';

/** The command `shortlist publish`. */
export function createPublishCommand(context: CommandContext): Command {
  return addDatasetOptions(
    new Command('publish').description(
      'Put a trained bundle into the registry and point the candidate channel at it.',
    ),
  )
    .addOption(createDatasetChangeOption())
    .action(async (options: DatasetOptions & MoveOptions) => {
      const { allowDatasetChange } = options;
      const { trainedDir } = findDataset(options, context);
      const { bundle } = loadSettings(context);
      const registry = await openRegistry(bundle, context);
      const version = await registry.publish(trainedDir, { channel: 'candidate', allowDatasetChange });
      context.print(
        `Published ${version} to ${bundle.registry}; candidate points at it. Next: shortlist serve`,
      );
    });
}
