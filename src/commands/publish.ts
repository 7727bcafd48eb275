import { Command } from 'commander';
import { loadSettings } from '../config/load-settings.js';
import type { CommandContext } from './command-context.js';
import { openRegistry } from './open-registry.js';
import { addDatasetOptions, findDataset, type DatasetOptions } from './dataset-options.js';

export function createPublishCommand(context: CommandContext): Command {
  return addDatasetOptions(
    new Command('publish').description(
      'Put a trained bundle into the registry and point the candidate channel at it.',
    ),
  ).action(async (options: DatasetOptions) => {
    const { trainedDir } = findDataset(options, context);
    const { bundle } = loadSettings(context);
    const registry = await openRegistry(bundle, context);
    const version = await registry.publish(trainedDir, { channel: 'candidate' });
    context.print(
      `Published ${version} to ${bundle.registry}; candidate points at it. Next: shortlist serve`,
    );
  });
}
