import { Command } from 'commander';
import { readDatasetConfig } from '../config/dataset-config.js';
import { ShortlistError } from '../domain/errors.js';
import type { CommandContext } from './command-context.js';
import { importOffline } from './import-offline.js';
import { openDependencies } from './open-dependencies.js';

/** The command `shortlist download`. */
export function createDownloadCommand(context: CommandContext): Command {
  return new Command('download')
    .description(
      'Download the raw files of a dataset whose config says where they are, and check their sha256.',
    )
    .argument('<dataset>', 'name of a config in configs/datasets, or a file')
    .option('--path <folder>', 'where to (default: where the dataset config looks for it)')
    .action(async (name: string, options: { path?: string }) => {
      const dataset = readDatasetConfig(name, { configsDir: context.configsDir, ...options });
      if (dataset.download === undefined) {
        throw new ShortlistError(
          'INVALID_CONFIG',
          `The dataset '${dataset.name}' names no download: put its files into ${dataset.path}, or say --path to prepare.`,
        );
      }
      const { downloadArchive } = await importOffline(() => import('../offline/data/download/download.js'));
      await downloadArchive(dataset.download, {
        access: openDependencies(context),
        toDir: dataset.path,
        progress: await context.openProgress(),
      });
      context.print(
        `${dataset.name} is in ${dataset.path}. Next: shortlist prepare --dataset ${dataset.name}`,
      );
    });
}
