import { Command } from 'commander';
import { loadSettings } from '../config/load-settings.js';
import { loadFeatureTable } from '../features/load-feature-table.js';
import type { FeatureView } from '../features/feature-view.js';
import { materialiseView } from '../features/materialise-view.js';
import { type RedisClient, requireRedis } from '../features/redis-connection.js';
import { readRowsOfTable } from '../features/row-source.js';
import type { ProgressReporter } from '../offline/progress.js';
import type { CommandContext } from './command-context.js';
import { openRegistry } from './open-registry.js';
import { openOnlineViews, type OnlineViews } from './open-online-views.js';
import { toolConnectionOf } from './redis-options.js';

export function createMaterialiseCommand(context: CommandContext): Command {
  return new Command('materialise')
    .description(
      "Load the views of the channel's bundle that are served online into Redis (REDIS_URL). Run it again when it was cut off: it goes on where it stopped.",
    )
    .option('--view <name>', 'one of them, or all', 'all')
    .action(async ({ view: name }: { view: string }) => {
      const { bundle, features, redis } = loadSettings(context);
      const registry = await openRegistry(bundle, context);
      const online = await openOnlineViews(registry, bundle.channel, name);
      const client = await requireRedis(toolConnectionOf(redis));
      const load = { ...features, client, progress: await context.openProgress() };
      try {
        for (const view of online.views) context.print(await loadView(view, online, load));
      } finally {
        client.disconnect();
      }
    });
}

interface Loading {
  readonly client: RedisClient;
  readonly expirySeconds: number;
  readonly progress: ProgressReporter;
}

/** @returns what came of it */
async function loadView(
  view: FeatureView,
  { version, files }: OnlineViews,
  { client, expirySeconds, progress }: Loading,
): Promise<string> {
  const { knownUntil } = files.manifest;
  const table = await loadFeatureTable({ file: files.deferredFile(view.file), view, knownUntil });
  const step = progress.start(`materialise ${view.name}`, table.entities.size);
  const { written, resumed } = await materialiseView(readRowsOfTable(table), client, {
    generation: version,
    expirySeconds,
    onRows: (count) => step.advance(count),
  });
  step.finish(`${written} rows`);
  const before = resumed === 0 ? '' : `, after ${resumed} of an earlier run`;
  return `Redis serves the ${view.name} of ${version}: ${written} rows written${before}.`;
}
