import { Command } from 'commander';
import { readDatasetConfig } from '../config/dataset-config.js';
import type { CommandContext } from './command-context.js';
import { importOffline } from './import-offline.js';
import { parseCount } from './parse-count.js';

interface DemoDataOptions {
  readonly path?: string;
  readonly users: number;
  readonly items: number;
  readonly seed: number;
}

/** The command `shortlist demo-data`. */
export function createDemoDataCommand(context: CommandContext): Command {
  return new Command('demo-data')
    .description('Make the demo dataset: seeded users, items and interactions as parquet files.')
    .option('--path <folder>', 'where to (default: where the dataset config looks for it)')
    .option('--users <count>', 'how many users', parseCount({ from: 1 }), 2000)
    .option('--items <count>', 'how many items', parseCount({ from: 1 }), 800)
    .option('--seed <number>', 'same seed, same data', parseCount({ from: 1 }), 7)
    .action(async ({ path, ...options }: DemoDataOptions) => {
      const { writeDemoData } = await importOffline(() => import('../offline/data/demo/demo-data.js'));
      const folder = path ?? readDatasetConfig('demo', context).path;
      await writeDemoData(folder, { ...options, progress: await context.openProgress() });
      context.print(`Demo data is in ${folder}. Next: shortlist prepare --dataset demo`);
    });
}
