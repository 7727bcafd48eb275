import { Command, InvalidArgumentError } from 'commander';
import { readDatasetConfig } from '../config/dataset-config.js';
import type { CommandContext } from './command-context.js';
import { importOffline } from './import-offline.js';

interface DemoDataOptions {
  readonly path?: string;
  readonly users: number;
  readonly items: number;
  readonly seed: number;
}

export function createDemoDataCommand(context: CommandContext): Command {
  return new Command('demo-data')
    .description('Make the demo dataset: seeded users, items and interactions as parquet files.')
    .option('--path <folder>', 'where to (default: where the dataset config looks for it)')
    .option('--users <count>', 'how many users', parseCount, 2000)
    .option('--items <count>', 'how many items', parseCount, 800)
    .option('--seed <number>', 'same seed, same data', parseCount, 7)
    .action(async ({ path, ...options }: DemoDataOptions) => {
      const { writeDemoData } = await importOffline(() => import('../offline/demo-data.js'));
      const folder = path ?? readDatasetConfig('demo', context).path;
      await writeDemoData(folder, { ...options, progress: await context.openProgress() });
      context.print(`Demo data is in ${folder}. Next: shortlist prepare --dataset demo`);
    });
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError('It must be a whole number above 0.');
}
