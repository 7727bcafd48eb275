import { Command } from 'commander';
import { loadSettings } from '../config/load-settings.js';
import { loadFeatureTable } from '../features/load-feature-table.js';
import type { FeatureView } from '../features/feature-view.js';
import { materialiseView } from '../features/materialise-view.js';
import { isPassingRedisFault, type RedisClient, requireRedis } from '../features/redis-connection.js';
import { readRowsOfTable } from '../features/row-source.js';
import { refuseTimesToCome } from '../features/refuse-times-to-come.js';
import type { SourceAccess } from '../domain/source-access.js';
import type { ProgressReporter } from '../offline/progress.js';
import type { CommandContext } from './command-context.js';
import { openRegistry } from './open-registry.js';
import { openOnlineViews, type OnlineViews } from './open-online-views.js';
import { openSources } from './open-sources.js';
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
      const access = openSources(context);
      const client = await access.retry('redis', () => requireRedis(toolConnectionOf(redis)), {
        isPassing: isPassingRedisFault,
      });
      const progress = await context.openProgress();
      const load = { ...features, client, access, progress, now: context.now().getTime() / 1000 };
      try {
        for (const view of online.views) context.print(await loadView(view, online, load));
      } finally {
        client.disconnect();
      }
    });
}

interface Loading {
  readonly client: RedisClient;
  readonly access: SourceAccess;
  readonly expirySeconds: number;
  readonly progress: ProgressReporter;
  /** Unix seconds. */
  readonly now: number;
}

/** @returns what came of it */
async function loadView(
  view: FeatureView,
  { version, files }: OnlineViews,
  { client, access, expirySeconds, progress, now }: Loading,
): Promise<string> {
  const { knownUntil } = files.manifest;
  const table = await loadFeatureTable({ file: files.deferredFile(view.file), view, knownUntil });
  refuseTimesToCome(table, now);
  const step = progress.start(`materialise ${view.name}`, table.entities.size);
  let reached = 0;
  const materialise = () => {
    let rows = 0;
    return materialiseView(readRowsOfTable(table), client, {
      generation: version,
      expirySeconds,
      onRows: (count) => {
        rows += count;
        // Rows that an attempt before this one had written are there already.
        if (rows > reached) step.advance(rows - reached);
        reached = Math.max(reached, rows);
      },
    });
  };
  const { written, resumed } = await access.retry('redis', materialise, { isPassing: isPassingRedisFault });
  step.finish(`${written} rows`);
  const before = resumed === 0 ? '' : `, after ${resumed} of an earlier run`;
  return `Redis serves the ${view.name} of ${version}: ${written} rows written${before}.`;
}
