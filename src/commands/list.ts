import { Command } from 'commander';
import type { BundleRegistry } from '../bundle/bundle-registry.js';
import { findEvaluationSummary } from '../bundle/evaluation-summary.js';
import { loadSettings } from '../config/load-settings.js';
import { alignColumns } from '../offline/report/align-columns.js';
import type { CommandContext } from './command-context.js';
import { openRegistry } from './open-registry.js';

/** The command `shortlist list`. */
export function createListCommand(context: CommandContext): Command {
  return new Command('list')
    .description('List the published bundles: data, quality, size, and which channels point at them.')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: true }) => {
      const bundles = await describeBundles(await openRegistry(loadSettings(context).bundle, context));
      if (json === true) context.print(JSON.stringify(bundles, undefined, 2));
      else if (bundles.length === 0) context.print('None is published; `shortlist publish` adds one.');
      else context.print(renderBundles(bundles));
    });
}

interface ListedBundle {
  readonly version: string;
  readonly channels: readonly string[];
  readonly createdAt: string;
  readonly dataset: string;
  readonly interactions: number;
  /** nDCG@k of two-stage; null where the bundle was not evaluated. */
  readonly ndcg: number | null;
  readonly sizeBytes: number;
}

/** The newest first: what a person looks for stands at the top. */
async function describeBundles(registry: BundleRegistry): Promise<ListedBundle[]> {
  const channels = [...(await registry.listChannels())];
  const versions = (await registry.list()).reverse();
  return Promise.all(
    versions.map(async (version) => {
      const manifest = await registry.readManifest(version);
      const summary = findEvaluationSummary(manifest);
      return {
        version,
        channels: channels.filter(([, pointer]) => pointer.version === version).map(([name]) => name),
        createdAt: manifest.createdAt,
        dataset: manifest.dataset.name,
        interactions: manifest.dataset.interactions,
        ndcg: summary?.ndcg[summary.twoStage] ?? null,
        sizeBytes: Object.values(manifest.files).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      };
    }),
  );
}

function renderBundles(bundles: readonly ListedBundle[]): string {
  const head = ['version', 'dataset', 'interactions', 'nDCG', 'MB', 'channels'];
  const rows = bundles.map(({ version, dataset, interactions, ndcg, sizeBytes, channels }) => [
    version,
    dataset,
    interactions.toLocaleString('en'),
    ndcg?.toFixed(4) ?? '–',
    (sizeBytes / 1e6).toFixed(1),
    channels.join(', '),
  ]);
  return alignColumns([head, ...rows]).join('\n');
}
