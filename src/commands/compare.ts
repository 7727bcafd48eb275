import { join } from 'node:path';
import { Command } from 'commander';
import type { BundleRegistry } from '../bundle/bundle-registry.js';
import { loadSettings } from '../config/load-settings.js';
import { readConfigFile } from '../config/read-config-file.js';
import { TrainingConfig } from '../config/training-config.js';
import type { CommandContext } from './command-context.js';
import { findBundle } from './find-bundle.js';
import { openRegistry } from './open-registry.js';
import { importOffline } from './import-offline.js';

/** The command `shortlist compare`. */
export function createCompareCommand(context: CommandContext): Command {
  return new Command('compare')
    .description(
      'Compare what two evaluated bundles are worth on the same queries, with a paired test; or, by an impression log, what they showed.',
    )
    .argument('<first>', 'a bundle folder, a version of the registry, or a channel')
    .argument('<second>', 'the same; differences are told as this one over the first')
    .option(
      '--impressions <folder>',
      'a compacted impression log: how their slates, scores and times differ; versions may be of bundles that are gone',
    )
    .action(async (first: string, second: string, { impressions }: { impressions?: string }) => {
      if (impressions !== undefined) return compareLogged(impressions, [first, second], context);
      const registry = await openRegistry(loadSettings(context).bundle, context);
      const { compareBundles } = await importOffline(
        () => import('../offline/evaluation/compare-bundles.js'),
      );
      const { renderComparison } = await importOffline(
        () => import('../offline/evaluation/comparison-table.js'),
      );
      const { seed } = readConfigFile(TrainingConfig, join(context.configsDir, 'training.yaml'));
      const folders = [await findBundle(first, registry), await findBundle(second, registry)] as const;
      context.print(renderComparison(await compareBundles(...folders, { seed })));
    });
}

async function compareLogged(
  folder: string,
  names: readonly [string, string],
  context: CommandContext,
): Promise<void> {
  const registry = await openRegistry(loadSettings(context).bundle, context);
  const { compareImpressions } = await importOffline(
    () => import('../offline/feedback/impressions/compare-impressions.js'),
  );
  const { renderImpressionComparison } = await importOffline(
    () => import('../offline/feedback/impressions/impression-comparison-table.js'),
  );
  const versions = [await findVersion(names[0], registry), await findVersion(names[1], registry)] as const;
  context.print(renderImpressionComparison(await compareImpressions(folder, versions)));
}

/** What a channel points at; a version is its own name. */
async function findVersion(name: string, registry: BundleRegistry): Promise<string> {
  return (await registry.listChannels()).get(name)?.version ?? name;
}
