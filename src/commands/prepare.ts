import { Command } from 'commander';
import { loadSettings } from '../config/load-settings.js';
import { ShortlistError } from '../domain/errors.js';
import { withForgottenUsers } from '../events/forgotten/open-forgotten-users.js';
import type { CommandContext } from './command-context.js';
import { addDatasetOptions, findDataset, type DatasetOptions } from './dataset-options.js';
import { importOffline } from './import-offline.js';
import { openDependencies } from './open-dependencies.js';

/** The command `shortlist prepare`. */
export function createPrepareCommand(context: CommandContext): Command {
  return addDatasetOptions(
    new Command('prepare').description('Check a dataset, map its columns, and write the prepared tables.'),
  )
    .option('--path <folder>', 'where the raw files are (default: what the dataset config says)')
    .option(
      '--events <folder>',
      'the events of servers, for a dataset that takes them (default: what events.folder says)',
    )
    .action(async (options: DatasetOptions & { path?: string; events?: string }) => {
      const { dataset, preparedDir } = findDataset(options, context);
      if (options.events !== undefined && dataset.interactions.events !== true) {
        const message = `--events ${options.events}: dataset ${dataset.name} takes no events; interactions.events: true in its config says that it does`;
        throw new ShortlistError('INVALID_CONFIG', message);
      }
      const { prepareDataset } = await importOffline(
        () => import('../offline/data/prepare/prepare-dataset.js'),
      );
      const { renderPrepareReport } = await importOffline(
        () => import('../offline/data/prepare/prepare-report.js'),
      );
      const progress = await context.openProgress();
      const access = openDependencies(context);
      const now = context.now();
      const settings = loadSettings(context);
      const report = await withForgottenUsers(settings, (forgotten) =>
        prepareDataset(dataset, {
          outDir: preparedDir,
          progress,
          access,
          now,
          eventsFolder: options.events ?? settings.events.folder,
          forgotten,
        }),
      );
      context.print(renderPrepareReport(report));
      context.print(
        `Prepared tables are in ${preparedDir}. Next: shortlist train --dataset ${options.dataset}`,
      );
    });
}
