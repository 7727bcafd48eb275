import { join } from 'node:path';
import { Command } from 'commander';
import { readDatasetConfig } from '../config/dataset-config.js';
import { ShortlistError } from '../domain/errors.js';
import type { CommandContext } from './command-context.js';
import { importOffline } from './import-offline.js';

export function createDownloadCommand(context: CommandContext): Command {
  return new Command('download')
    .description(
      'Download the raw files of a dataset whose config says where they are, and check their sha256.',
    )
    .argument('<dataset>', 'name of a config in configs/datasets, or a file')
    .option('--data <folder>', 'folder for what the commands hand each other', 'data')
    .action(async (name: string, options: { data: string }) => {
      const dataset = readDatasetConfig(name, { configsDir: context.configsDir });
      if (dataset.download === undefined) {
        throw new ShortlistError(
          'INVALID_CONFIG',
          `The dataset '${dataset.name}' names no download: put its files into ${dataset.path}, or say --path to prepare.`,
        );
      }
      const { downloadArchive } = await importOffline(() => import('../offline/download.js'));
      const toDir = join(options.data, 'raw', dataset.name);
      await downloadArchive(dataset.download, { toDir, progress: await context.openProgress() });
      context.print(`${dataset.name} is in ${toDir}. Next: shortlist prepare --dataset ${dataset.name}`);
    });
}
