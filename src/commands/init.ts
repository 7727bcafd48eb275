import { existsSync, statSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { readDatasetConfig } from '../config/dataset-config.js';
import { ShortlistError } from '../domain/errors.js';
import type { CommandContext } from './command-context.js';
import { importOffline } from './import-offline.js';

interface InitOptions {
  readonly name?: string;
  readonly out?: string;
  readonly force?: true;
}

/** The command `shortlist init`. */
export function createInitCommand(context: CommandContext): Command {
  return new Command('init')
    .description(
      'Look at files (CSV, JSON lines, parquet) and write a dataset config for them, to be read before it is used.',
    )
    .argument('<folder>', 'where the files are')
    .option('--name <name>', 'name of the dataset (default: that of the folder)')
    .option('--out <file>', 'where the config goes (default: configs/datasets/<name>.yaml)')
    .option('--force', 'write over a config that is there')
    .action(async (folder: string, options: InitOptions) => {
      if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
        throw new ShortlistError('INVALID_REQUEST', `${folder} is no folder.`);
      const name = options.name ?? toName(folder);
      const out = options.out ?? join(context.configsDir, 'datasets', `${name}.yaml`);
      if (existsSync(out) && options.force !== true)
        throw new ShortlistError(
          'INVALID_REQUEST',
          `${out} is there already; say --force to write over it, or --out or --name.`,
        );
      const { initDataset } = await importOffline(() => import('../offline/data/init/init-dataset.js'));
      const { config, lines } = await initDataset({ folder, name, now: context.now().getTime() / 1000 });
      await writeChecked(out, config, context);
      for (const line of lines) context.print(line);
      const dataset = options.out === undefined ? name : out;
      context.print(
        `The config is in ${out}: read it, it is made of guesses. Next: shortlist prepare --dataset ${dataset}`,
      );
    });
}

/** Writes a config that can be read, or nothing. */
async function writeChecked(out: string, config: string, context: CommandContext): Promise<void> {
  const draft = `${resolve(out)}.draft`;
  await mkdir(dirname(draft), { recursive: true });
  try {
    await writeFile(draft, config);
    readDatasetConfig(draft, context);
    await rename(draft, out);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Names of datasets are small letters, digits, dots, dashes and underscores, with a letter or a digit first. */
function toName(folder: string): string {
  const plain = basename(resolve(folder)).normalize('NFKD').toLowerCase();
  return plain.replaceAll(/[^a-z0-9._-]+/g, '-').replaceAll(/^[^a-z0-9]+|-+$/g, '') || 'mine';
}
