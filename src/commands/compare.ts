import { join } from 'node:path';
import { Command } from 'commander';
import { loadSettings } from '../config/load-settings.js';
import { readConfigFile } from '../config/read-config-file.js';
import { TrainingConfig } from '../config/training-config.js';
import type { CommandContext } from './command-context.js';
import { findBundle } from './find-bundle.js';
import { openRegistry } from './open-registry.js';
import { importOffline } from './import-offline.js';

export function createCompareCommand(context: CommandContext): Command {
  return new Command('compare')
    .description('Compare what two evaluated bundles are worth on the same queries, with a paired test.')
    .argument('<first>', 'a bundle folder, a version of the registry, or a channel')
    .argument('<second>', 'the same; differences are told as this one over the first')
    .action(async (first: string, second: string) => {
      const registry = await openRegistry(loadSettings(context).bundle, context);
      const { compareBundles } = await importOffline(() => import('../offline/compare-bundles.js'));
      const { renderComparison } = await importOffline(
        () => import('../offline/evaluation/comparison-table.js'),
      );
      const { seed } = readConfigFile(TrainingConfig, join(context.configsDir, 'training.yaml'));
      const folders = [await findBundle(first, registry), await findBundle(second, registry)] as const;
      context.print(renderComparison(await compareBundles(...folders, { seed })));
    });
}
